package retrievaltest_test

import (
	"fmt"
	"testing"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

var (
	bothProtocols = []retrieval.Protocol{retrieval.POP3, retrieval.IMAP}
	securities    = map[string]retrieval.Security{"tls": retrieval.TLS, "starttls": retrieval.StartTLS, "plaintext": retrieval.Plaintext}
)

// inMemory are the servers for a bubble of testing/synctest.
var inMemory = map[string]rt.ServerOptions{
	"tls":       {InMemory: true, Security: retrieval.TLS},
	"starttls":  {InMemory: true, Security: retrieval.StartTLS},
	"plaintext": {InMemory: true, Security: retrieval.Plaintext},
}

// maildrop is a server for the tests of faults.
type maildrop struct {
	*rt.Server
	account retrieval.Account // its policy is DownloadAndDelete
}

// newMaildrop starts a server. It is the one place that knows how.
func newMaildrop(t testing.TB, p retrieval.Protocol, o *rt.ServerOptions) *maildrop {
	t.Helper()
	m := &maildrop{Server: rt.NewServer(t, o)}
	m.account = m.Account(p)
	m.account.Policy = retrieval.DownloadAndDelete
	return m
}

func (m *maildrop) count() int { return len(m.Contents()) }

// each calls f for each protocol and way to connect.
func each(t *testing.T, f func(t *testing.T, m *maildrop)) {
	for _, p := range bothProtocols {
		for name, s := range securities {
			t.Run(fmt.Sprintf("%s %s", p, name), func(t *testing.T) {
				t.Parallel()
				f(t, newMaildrop(t, p, &rt.ServerOptions{Security: s}))
			})
		}
	}
}

// mails returns n different messages.
func mails(n int) [][]byte {
	var msgs [][]byte
	for i := range n {
		msgs = append(msgs, fmt.Appendf(nil, "From: a@example.com\r\nMessage-ID: <%d@example.com>\r\n\r\n.dot\r\nnumber %d\r\n{5}\r\n", i, i))
	}
	return msgs
}
