package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"example.com/postbag/imapclient"
)

// BenchmarkIMAP compares IMAP clients.
func BenchmarkIMAP(b *testing.B) {
	race(b, true, []workload{small, huge}, rawIMAP, []client{
		{"imapclient", imapClient},
		{"imapclient-unlisted", imapUnlisted},
		{"go-imap", goIMAP},
		{"imapflow", imapFlow},
		{"imaplib", imaplib},
		{"mbsync", mbsync},
	}, nil)
}

// imapClient lists the mailbox first, as whoever retrieves mail has to.
func imapClient(b *testing.B, addr string, w workload) time.Duration {
	return imapBodies(b, addr, w, true)
}

// imapUnlisted knows what the messages are called, the last UIDs, and does the work of the raw
// reader.
func imapUnlisted(b *testing.B, addr string, w workload) time.Duration {
	return imapBodies(b, addr, w, false)
}

func imapBodies(b *testing.B, addr string, w workload, list bool) time.Duration {
	c, err := imapclient.DialPlaintext(b.Context(), addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(b.Context(), user, password); err != nil {
		b.Fatal(err)
	}
	box, err := c.Examine(b.Context(), "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	uids := make([]uint32, 0, w.messages)
	for n := range w.messages {
		uids = append(uids, box.UIDNext-uint32(w.messages-n))
	}
	if list {
		uids = uids[:0]
		for s, err := range c.Summaries(b.Context(), imapclient.All()) {
			if err != nil {
				b.Fatal(err)
			}
			uids = append(uids, s.UID)
		}
	}
	start := time.Now()
	n := 0
	for m, err := range c.Bodies(b.Context(), uids...) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != w.messages {
		b.Fatalf("%d messages", n)
	}
	took := time.Since(start)
	if err := c.Logout(b.Context()); err != nil {
		b.Fatal(err)
	}
	return took
}

func goIMAP(b *testing.B, addr string, w workload) time.Duration {
	c, err := goimap.DialInsecure(addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	var all imap.SeqSet
	all.AddRange(1, uint32(w.messages))
	cmd := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	n := 0
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			if body, ok := item.(goimap.FetchItemDataBodySection); ok {
				if _, err := io.Copy(io.Discard, body.Literal); err != nil {
					b.Fatal(err)
				}
				n++
			}
		}
	}
	if err := cmd.Close(); err != nil || n != w.messages {
		b.Fatal(n, err)
	}
	took := time.Since(start)
	c.Logout().Wait()
	return took
}

// imapFlow runs imapflow/fetch.mjs, which keeps no message.
func imapFlow(b *testing.B, addr string, w workload) time.Duration {
	node := program(b, "node")
	if _, err := os.Stat("imapflow/node_modules/imapflow"); err != nil {
		b.Skipf("%v: npm ci --ignore-scripts --prefix imapflow installs it", err)
	}
	host, port := hostPort(addr)
	cmd := exec.Command(node, "imapflow/fetch.mjs", host, strconv.Itoa(port), user, password, strconv.Itoa(w.messages))
	cmd.Stderr = b.Output()
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	ms, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func imaplib(b *testing.B, addr string, w workload) time.Duration {
	host, port := hostPort(addr)
	run(b, program(b, "python3"), "-c", fmt.Sprintf(`
import imaplib
c = imaplib.IMAP4(%q, %d)
c.login(%q, %q); c.select("INBOX", readonly=True)
n = %d
for i in range(1, n + 1, 500):
    c.fetch("%%d:%%d" %% (i, min(i + 499, n)), "(UID FLAGS BODY.PEEK[])")
c.logout()`, host, port, user, password, w.messages))
	return 0
}

// mbsync writes every message into a Maildir in memory: it cannot throw away.
func mbsync(b *testing.B, addr string, w workload) time.Duration {
	mbsyncInto(b, addr, memoryDir(b))
	return 0
}

// mbsyncInto retrieves into the Maildir m/INBOX in the folder dir.
func mbsyncInto(b *testing.B, addr, dir string) {
	b.Helper()
	exe := program(b, "mbsync")
	host, port := hostPort(addr)
	rc := filepath.Join(dir, "mbsyncrc")
	err := os.WriteFile(rc, fmt.Appendf(nil, "IMAPAccount a\nHost %s\nPort %d\nUser %s\nPass \"%s\"\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/m/\nInbox %s/m/INBOX\n\nChannel c\nFar :far:\nNear :near:\nCreate Near\nSync Pull\nSyncState %s/state\n",
		host, port, user, password, dir, dir, dir), 0o600)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "m"), 0o700); err != nil {
		b.Fatal(err)
	}
	run(b, exe, "-c", rc, "-q", "c")
}
