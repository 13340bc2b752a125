//go:build unix

package relay_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// mailServer is go-smtp's server, which keeps what it gets.
type mailServer struct {
	*smtp.Server
	addr string

	mu    sync.Mutex
	mails [][]byte
}

func newMailServer(t *testing.T, lmtp bool) *mailServer {
	t.Helper()
	s := &mailServer{}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{s}, nil }))
	s.Domain, s.LMTP, s.EnableSMTPUTF8 = "localhost", lmtp, true
	s.MaxLineLength = 4 << 20
	s.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		l.Close() // if Serve had not come to know it
		<-done
	})
	return s
}

type mailSession struct{ s *mailServer }

func (mailSession) Reset()                               { /* keeps nothing */ }
func (mailSession) Logout() error                        { return nil }
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (m mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.mails = append(m.s.mails, data)
	return nil
}

func (s *mailServer) contents() ([]rt.Delivered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []rt.Delivered
	for _, data := range s.mails {
		all = append(all, rt.Delivered{Data: slices.Clone(data)})
	}
	return all, nil
}

// relaySink is what both kinds of sink are.
type relaySink interface {
	retrieval.Sink
	io.Closer
}

// newSink makes a sink of either kind, which ends with the test.
func newSink(t *testing.T, lmtp bool, addr string, o *relay.Options) relaySink {
	t.Helper()
	if o == nil {
		o = &relay.Options{}
	}
	if o.Recipients == nil && o.RecipientsOf == nil {
		o.Recipients = []string{"joe@example.com"}
	}
	var sink relaySink
	var err error
	if lmtp {
		sink, err = relay.NewLMTP(addr, o)
	} else {
		sink, err = relay.NewSMTP(addr, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

func TestLMTPSink(t *testing.T) { testSink(t, true) }

func TestSMTPSink(t *testing.T) { testSink(t, false) }

func testSink(t *testing.T, lmtp bool) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		s := newMailServer(t, lmtp)
		return rt.SinkUnderTest{
			Sink:       newSink(t, lmtp, s.addr, nil),
			Contents:   s.contents,
			Same:       func(got, want []byte) bool { return bytes.Equal(got, normal(want)) },
			Concurrent: true,
		}
	})
}

// normal is a message as the package's doc says it arrives, written down in
// the plainest way.
func normal(p []byte) []byte {
	p = bytes.ReplaceAll(p, []byte{0}, nil)
	for bytes.Contains(p, []byte("\r\r")) {
		p = bytes.ReplaceAll(p, []byte("\r\r"), []byte("\r"))
	}
	p = bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
	if n := len(p); n > 0 && p[n-1] == '\r' {
		p[n-1] = '\n'
	}
	p = bytes.ReplaceAll(p, []byte("\r"), []byte(" "))
	if n := len(p); n == 0 || p[n-1] != '\n' {
		p = append(p, '\n')
	}
	return bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
}
