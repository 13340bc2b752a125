package retrievaltest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Fault is something that goes wrong on a connection: what, where, and on
// which connection. [Faulty] and [WithFaults] put faults on an account's
// connections. A Fault happens on the first one unless [OnConnection] or
// [Always] says otherwise, and once on each. Several faults at one point
// happen in the order in which they are given.
type Fault struct {
	what   faultKind
	at     Point
	text   string        // to be said by the server
	head   string        // to be said before text is repeated
	tail   string        // and after it
	octets int64         // how much of text, or how many octets a segment
	wait   time.Duration // 0: for ever
	seed   uint64
	tls    TLSFault
	conn   int // 0: each
	struck atomic.Int64
}

type faultKind int

const (
	faultCut faultKind = iota
	faultReset
	faultStall
	faultInject
	faultFlood
	faultAnswer
	faultCorrupt
	faultSegments
	faultCoalesce
	faultNoise
	faultTLS
	faultRefuse
)

var faultNames = [...]string{"cut", "reset", "stall", "inject", "flood", "answer", "corrupt", "segments", "coalesce", "noise", "bad TLS", "refuse"}

// Cut ends the connection as a server does that closes it: the client reads
// what came before, then io.EOF, under TLS without close_notify.
func Cut(at Point) *Fault { return &Fault{what: faultCut, at: at, conn: 1} }

// Reset ends the connection as a lost route or a crashed server does: the
// client reads what came before, then gets ECONNRESET.
func Reset(at Point) *Fault { return &Fault{what: faultReset, at: at, conn: 1} }

// Stall lets nothing more pass for the time d, or for ever if d is 0; the
// connection stays open. After what the client sent, nothing more reaches the
// server; after what it received, nothing more reaches the client.
func Stall(at Point, d time.Duration) *Fault {
	return &Fault{what: faultStall, at: at, wait: d, conn: 1}
}

// Inject lets the server say octets that it does not say, such as garbage. They
// are not framed in any way; see [Answer] for replies.
func Inject(at Point, octets string) *Fault {
	return &Fault{what: faultInject, at: at, head: octets, conn: 1}
}

// Answer lets the server say something else than its reply to a command: "-ERR
// [IN-USE] busy", "NO [OVERQUOTA] full", "* BYE going down". The command does
// not reach the server if at is [BeforeCommand]; the server carries it out if
// at is [AfterCommand]; and the reply is what the server says up to there, then
// this, if at is [WithinReply]. A reply may have several lines; the last gets
// the CRLF that it lacks. Lines that begin with OK, NO or BAD get the command's
// tag.
func Answer(at Point, reply string) *Fault {
	if at.place == pointReceived || at.place == pointSent {
		panic("retrievaltest: Answer needs a point at a command, not " + at.String())
	}
	if !strings.HasSuffix(reply, "\n") {
		reply += "\r\n"
	}
	return &Fault{what: faultAnswer, at: at, text: reply, conn: 1}
}

// Flood lets the server say unit again and again, n octets in all, without end
// if n is less than 0: a line without end, a list without end.
func Flood(at Point, unit string, n int64) *Fault {
	if unit == "" {
		panic("retrievaltest: Flood needs something to say")
	}
	return &Fault{what: faultFlood, at: at, text: unit, octets: n, conn: 1}
}

// HugeLiteral lets an IMAP server say that message 1 has n octets, and send
// them.
func HugeLiteral(at Point, n int64) *Fault {
	f := Flood(at, strings.Repeat("x", 4096), n)
	f.head, f.tail = fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n", n), ")\r\n"
	return f
}

// Corrupt changes the highest bit of the octet that comes next: one that the
// server says, or after [AfterSent] and [BeforeCommand] one that the client
// says.
func Corrupt(at Point) *Fault { return &Fault{what: faultCorrupt, at: at, conn: 1} }

// Refuse lets no connection come about.
func Refuse() *Fault { return &Fault{what: faultRefuse, conn: 1} }

// OnConnection makes f happen on the nth connection, counted from 1, and on no
// other. It returns f.
func OnConnection(n int, f *Fault) *Fault {
	if n < 1 {
		panic("retrievaltest: connections are counted from 1")
	}
	f.conn = n
	return f
}

// Always makes f happen on every connection. It returns f.
func Always(f *Fault) *Fault {
	f.conn = 0
	return f
}

// Struck returns how often the fault has happened. While it is 0, a test has
// not shown that anything survives it.
func (f *Fault) Struck() int { return int(f.struck.Load()) }

// String says what the fault is, for messages.
func (f *Fault) String() string {
	var s strings.Builder
	s.WriteString(faultNames[f.what])
	switch f.what {
	case faultSegments:
		fmt.Fprintf(&s, " of %d", f.octets)
	case faultCoalesce, faultNoise, faultRefuse:
	case faultTLS:
		s.WriteString(", " + f.tls.String())
	default:
		s.WriteString(" " + f.at.String())
	}
	if f.conn != 1 {
		fmt.Fprintf(&s, " on connection %d", f.conn)
	}
	return s.String()
}

// MustStrike fails the test at its end if one of the faults has not happened.
func MustStrike(t testing.TB, faults ...*Fault) {
	t.Helper()
	t.Cleanup(func() {
		for _, f := range faults {
			if f.Struck() == 0 {
				t.Errorf("the fault never happened: %s", f)
			}
		}
	})
}
