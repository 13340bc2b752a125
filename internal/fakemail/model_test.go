package fakemail_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/internal/fakemail"
)

// believer is a client that believes what it is told, and nothing else: what
// it thinks the mailbox holds must be what it holds, at every FETCH.
type believer struct {
	t       *testing.T
	name    string
	conn    net.Conn
	r       *bufio.Reader
	qresync bool
	tags    int
	known   []known // by sequence number
	modseq  uint64
	fetched map[uint32]string // in the last FETCH of all
}

// known is a message: UID 0 is not known yet, nor are flags "?".
type known struct {
	uid   uint32
	flags string
}

// do gives a command. With VANISHED one must know the UIDs of all messages to
// know which are gone, so that new ones are looked at right away.
func (b *believer) do(command string) {
	b.t.Helper()
	b.one(command)
	for n := len(b.known); b.qresync && n > 0 && b.known[n-1].uid == 0; {
		b.one("FETCH 1:* (UID FLAGS)")
	}
}

func (b *believer) one(command string) {
	b.t.Helper()
	b.tags++
	tag := fmt.Sprintf("%s%d", b.name, b.tags)
	fmt.Fprintf(b.conn, "%s %s\r\n", tag, command)
	for {
		line, err := b.r.ReadString('\n')
		if err != nil {
			b.t.Fatalf("%s: %s: %v", b.name, command, err)
		}
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, tag+" ") {
			if strings.HasPrefix(line, tag+" BAD") {
				b.t.Fatalf("%s: %s: %s", b.name, command, line)
			}
			return
		}
		b.hear(command, line)
	}
}

// hear takes an untagged response.
func (b *believer) hear(command, line string) {
	f := strings.Fields(line)
	switch {
	case f[1] == "VANISHED":
		spec := f[len(f)-1]
		b.known = slices.DeleteFunc(b.known, func(k known) bool { return within(spec, k.uid) })
		if f[2] != "(EARLIER)" && strings.HasPrefix(command, "STORE") {
			b.t.Errorf("%s: %s while %s", b.name, line, command)
		}
	case f[1] == "OK":
		if f[2] == "[HIGHESTMODSEQ" {
			b.modseq, _ = strconv.ParseUint(strings.TrimSuffix(f[3], "]"), 10, 64)
		}
	case len(f) > 2 && f[2] == "EXISTS":
		n, _ := strconv.Atoi(f[1])
		if n < len(b.known) && !strings.Contains(command, "SELECT") {
			b.t.Fatalf("%s: %s after %d messages", b.name, line, len(b.known))
		}
		for len(b.known) < n {
			b.known = append(b.known, known{0, "?"})
		}
	case len(f) > 2 && f[2] == "EXPUNGE":
		n, _ := strconv.Atoi(f[1])
		if n < 1 || n > len(b.known) {
			b.t.Fatalf("%s: %s of %d messages", b.name, line, len(b.known))
		}
		if strings.HasPrefix(command, "FETCH") || strings.HasPrefix(command, "STORE") || strings.HasPrefix(command, "SEARCH") {
			b.t.Errorf("%s: %s while %s", b.name, line, command)
		}
		b.known = slices.Delete(b.known, n-1, n)
	case len(f) > 2 && f[2] == "FETCH":
		b.fetch(line)
	}
}

func (b *believer) fetch(line string) {
	n, _ := strconv.Atoi(strings.Fields(line)[1])
	uid, flags := uint32(0), "?"
	if _, after, found := strings.Cut(line, "UID "); found {
		fmt.Sscan(after, &uid)
	}
	if _, after, found := strings.Cut(line, "FLAGS ("); found {
		flags, _, _ = strings.Cut(after, ")")
		flags = strings.TrimPrefix(strings.TrimPrefix(flags, `\Recent`), " ")
	}
	if n < 1 || n > len(b.known) {
		b.t.Fatalf("%s: %s of %d messages", b.name, line, len(b.known))
	}
	k := &b.known[n-1]
	if uid != 0 && k.uid != 0 && uid != k.uid {
		b.t.Fatalf("%s: %s, but number %d has the UID %d", b.name, line, n, k.uid)
	}
	if uid != 0 {
		k.uid = uid
	}
	if flags != "?" {
		k.flags = flags
	}
	if b.fetched != nil {
		b.fetched[k.uid] = k.flags
	}
}

func within(spec string, uid uint32) bool {
	for part := range strings.SplitSeq(spec, ",") {
		from, to, is := strings.Cut(part, ":")
		if !is {
			to = from
		}
		a, _ := strconv.Atoi(from)
		z, _ := strconv.Atoi(to)
		if int(uid) >= a && int(uid) <= z {
			return true
		}
	}
	return false
}

// believe compares what the client thinks with what it is told when it asks,
// and with what the store holds.
func (b *believer) believe(m *mailer) {
	b.t.Helper()
	b.do("NOOP")
	thought := slices.Clone(b.known)
	b.fetched = make(map[uint32]string)
	if len(b.known) > 0 {
		b.do("UID FETCH 1:* (FLAGS)")
	}
	held, err := m.Messages("joe", "INBOX")
	if err != nil {
		b.t.Fatal(err)
	}
	if len(held) != len(b.known) || len(b.fetched) != len(held) {
		b.t.Fatalf("%s: the store holds %d messages, the client knows of %d and fetched %d", b.name, len(held), len(b.known), len(b.fetched))
	}
	for i, h := range held {
		flags := strings.Join(h.Flags, " ")
		if k := b.known[i]; k.uid != h.UID || k.flags != flags {
			b.t.Fatalf("%s: number %d is %d (%s), the client has %d (%s)", b.name, i+1, h.UID, flags, k.uid, k.flags)
		}
		if k := thought[i]; k.flags != "?" && k.flags != flags {
			b.t.Fatalf("%s: number %d has the flags (%s), the client was told of (%s)", b.name, i+1, flags, k.flags)
		}
	}
	b.fetched = nil
}

// back ends the session, and comes back knowing what it knew.
func (b *believer) back(m *mailer) {
	b.t.Helper()
	if b.conn != nil {
		b.conn.Close()
	}
	b.conn = dial(b.t, m)
	b.r = bufio.NewReader(b.conn)
	b.r.ReadString('\n')
	b.do("LOGIN joe secret")
	if !b.qresync {
		b.known = nil
		b.do("SELECT INBOX")
		return
	}
	b.do("ENABLE QRESYNC")
	if b.modseq == 0 {
		b.do("SELECT INBOX")
		return
	}
	// What a client keeps is UIDs; where they stand follows from their order.
	cache := make(map[uint32]string)
	for _, k := range b.known {
		cache[k.uid] = k.flags
	}
	since := b.modseq
	b.known = nil
	gone, changed := b.resync(since)
	for _, spec := range gone {
		for uid := range cache {
			if within(spec, uid) {
				delete(cache, uid)
			}
		}
	}
	for _, k := range changed {
		cache[k.uid] = k.flags
	}
	held, err := m.Messages("joe", "INBOX")
	if err != nil {
		b.t.Fatal(err)
	}
	if len(cache) != len(held) {
		b.t.Fatalf("%s: after QRESYNC since %d the client knows of %d messages, there are %d", b.name, since, len(cache), len(held))
	}
	for _, h := range held {
		if flags := strings.Join(h.Flags, " "); cache[h.UID] != flags {
			b.t.Fatalf("%s: after QRESYNC since %d: UID %d has (%s), the client thinks (%s)", b.name, since, h.UID, flags, cache[h.UID])
		}
	}
	b.known = nil
	for _, uid := range slices.Sorted(maps.Keys(cache)) {
		b.known = append(b.known, known{uid, cache[uid]})
	}
}

func (b *believer) resync(since uint64) (gone []string, changed []known) {
	b.tags++
	tag := fmt.Sprintf("%s%d", b.name, b.tags)
	fmt.Fprintf(b.conn, "%s SELECT INBOX (QRESYNC (3857529045 %d))\r\n", tag, since)
	for {
		line, err := b.r.ReadString('\n')
		if err != nil {
			b.t.Fatal(err)
		}
		line = strings.TrimRight(line, "\r\n")
		f := strings.Fields(line)
		switch {
		case f[0] == tag:
			return gone, changed
		case f[1] == "VANISHED":
			gone = append(gone, f[3])
			continue
		}
		b.hear("SELECT", line)
		if len(f) > 2 && f[2] == "FETCH" {
			n, _ := strconv.Atoi(f[1])
			changed = append(changed, b.known[n-1])
		}
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { model(t, rand.New(rand.NewPCG(seed, 1)), 150) })
	}
}

func model(t *testing.T, rnd *rand.Rand, steps int) {
	m := start(t, fakemail.Standard, nil)
	m.mails(t, 5)
	var bs []*believer
	for i := range 4 {
		b := &believer{t: t, name: string(rune('a' + i)), qresync: i%2 == 1}
		b.back(m)
		bs = append(bs, b)
	}
	flags := []string{`\Seen`, `\Flagged`, `\Deleted`, "$x"}
	for range steps {
		b := bs[rnd.IntN(len(bs))]
		n := len(b.known)
		switch k := rnd.IntN(14); {
		case k == 0:
			m.mails(t, 1+rnd.IntN(2))
		case k == 1 && len(m.uids) > 0:
			if err := m.SetFlags(m.uids[rnd.IntN(len(m.uids))], flags[rnd.IntN(len(flags))]); err != nil {
				t.Fatal(err)
			}
		case k == 2 && len(m.uids) > 0:
			if err := m.Store.Delete(m.uids[rnd.IntN(len(m.uids))]); err != nil {
				t.Fatal(err)
			}
		case k == 3:
			b.do("EXPUNGE")
		case k == 4:
			b.do("UID EXPUNGE 3:20")
		case k == 5:
			b.do("UID SEARCH UNSEEN")
		case k == 6 && n > 0:
			b.do(fmt.Sprintf("COPY %d INBOX", 1+rnd.IntN(n)))
		case k == 7:
			b.do("UID STORE 1:* " + []string{"+", "-"}[rnd.IntN(2)] + "FLAGS (" + flags[rnd.IntN(len(flags))] + ")")
		case k == 8 && n > 0:
			from := 1 + rnd.IntN(n)
			b.do(fmt.Sprintf("STORE %d:%d FLAGS (%s)", from, from+rnd.IntN(n-from+1), flags[rnd.IntN(len(flags))]))
		case k == 9 && n > 0:
			b.do(fmt.Sprintf("FETCH %d (UID FLAGS BODY[9])", 1+rnd.IntN(n)))
		case k == 10:
			b.believe(m)
			b.back(m)
		case k == 11:
			b.do("SEARCH ALL")
		default:
			b.believe(m)
		}
	}
	for _, b := range bs {
		b.believe(m)
		b.back(m)
		b.believe(m)
	}
}
