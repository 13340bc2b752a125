package bench

import (
	"context"
	"io"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// BenchmarkRetrieve is a whole retrieval.Run, with what it retrieves thrown
// away, and into a Maildir where everything is durable.
func BenchmarkRetrieve(b *testing.B) {
	for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		raw := rawPOP3
		if p == retrieval.IMAP {
			raw = rawIMAP
		}
		b.Run(string(p), func(b *testing.B) {
			race(b, p == retrieval.IMAP, []workload{small}, raw, []client{
				{"discard", func(b *testing.B, addr string, w workload) time.Duration { return retrieve(b, p, addr, "", w.messages) }},
				{"maildir", func(b *testing.B, addr string, w workload) time.Duration {
					return retrieve(b, p, addr, b.TempDir(), w.messages)
				}},
			}, nil)
		})
	}
}

func account(p retrieval.Protocol, addr string) retrieval.Account {
	host, port := hostPort(addr)
	return retrieval.Account{
		Protocol: p, Host: host, Port: port, Security: retrieval.Plaintext, User: user,
		Password: func(context.Context) (string, error) { return password, nil },
	}
}

// retrieve runs an account into the Maildir dir, or nowhere.
func retrieve(b *testing.B, p retrieval.Protocol, addr, dir string, want int) time.Duration {
	b.Helper()
	a := account(p, addr)
	var sink retrieval.Sink = retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		_, err := m.WriteTo(io.Discard)
		return err
	})
	if dir != "" {
		d, err := disk.OpenMaildir(dir)
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		sink = d
	}
	retrieveInto(b, a, sink, new(retrieval.Memory), want)
	return 0
}

func retrieveInto(b *testing.B, a retrieval.Account, sink retrieval.Sink, store retrieval.Store, want int) {
	b.Helper()
	rep, err := retrieval.Run(b.Context(), a, sink, store)
	if err != nil || rep.Delivered != want {
		b.Fatalf("%+v, %v", rep, err)
	}
}
