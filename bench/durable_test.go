package bench

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// durable is a program that retrieves a whole mailbox into a new Maildir
// within dir, where every message is synced to the disk.
type durable struct {
	name   string
	needs  string                                         // an executable
	few    bool                                           // it gets the mailbox of the user few, since it takes its time
	nobody bool                                           // it refuses to deliver as root
	run    func(b *testing.B, addr, dir string) (ok bool) // if not, it has to be tried again
}

// BenchmarkDurable compares what is durable at the end: messages a second into
// a Maildir on a disk, each file synced. Everyone has a turn in each round.
// getmail, which is many times slower, gets 500 messages instead of 10,000.
//
// drain is the limit for those who do one thing after another: it asks for
// all at once, and writes, syncs and renames each message before it takes the
// next. It keeps no books. postbag has a ledger, and is the only one to sync
// the folder too before it counts a message as delivered; mpop and getmail
// sync each file, mbsync also its journal.
//
// x-NAME is the time that postbag takes for a message over the time of NAME:
// less than 1 is faster.
// The folder for temporary files (TMPDIR) must be on a disk, not in memory.
func BenchmarkDurable(b *testing.B) {
	d := servers.Start(b, servers.Dovecot, servers.User{Name: user, Password: password}, servers.User{Name: fewUser, Password: password})
	d.Deliver(b, user, mails(small.messages, small.size)...)
	d.Deliver(b, fewUser, mails(fewMessages, small.size)...)
	rawIMAP(b, d.IMAP, small.messages) // warms the server's index
	b.Run("POP3", func(b *testing.B) {
		compareDurable(b, d.POP3, []durable{
			{name: "postbag", run: always(postbagDurable(retrieval.POP3))},
			{name: "drain", run: always(drainDurable(rawPOP3To))},
			{name: "mpop", needs: "mpop", run: always(mpopInto)},
			{name: "getmail", needs: "getmail", few: true, nobody: true, run: getmailInto("SimplePOP3Retriever")},
		})
	})
	b.Run("IMAP", func(b *testing.B) {
		compareDurable(b, d.IMAP, []durable{
			{name: "postbag", run: always(postbagDurable(retrieval.IMAP))},
			{name: "drain", run: always(drainDurable(rawIMAPTo))},
			{name: "mbsync", needs: "mbsync", run: always(mbsyncInto)},
			{name: "getmail", needs: "getmail", few: true, nobody: true, run: getmailInto("SimpleIMAPRetriever")},
		})
	})
}

const (
	fewUser     = "few"
	fewMessages = 500
)

func compareDurable(b *testing.B, addr string, all []durable) {
	times := make(map[string]time.Duration)
	messages := make(map[string]int)
	for b.Loop() {
		for _, c := range all {
			if _, err := exec.LookPath(c.needs); c.needs != "" && err != nil {
				continue
			}
			want := small.messages
			if c.few {
				want = fewMessages
			}
			times[c.name] += c.time(b, addr, want)
			messages[c.name] += want
		}
	}
	b.ReportMetric(0, "ns/op") // of all of them together: it says nothing
	ours := times["postbag"].Seconds() / float64(messages["postbag"])
	for _, c := range all {
		if messages[c.name] == 0 {
			continue // not installed
		}
		took := times[c.name].Seconds() / float64(messages[c.name])
		b.ReportMetric(1/took, c.name+"-msg/s")
		if c.name != "postbag" {
			b.ReportMetric(ours/took, "x-"+c.name)
		}
	}
}

// time returns how long it takes.
func (c *durable) time(b *testing.B, addr string, want int) time.Duration {
	b.Helper()
	for range 10 {
		dir := durableDir(b, c.nobody)
		run(b, "sync") // so that nobody waits for the writes of another
		start := time.Now()
		ok := c.run(b, addr, dir)
		took := time.Since(start)
		n := countMail(b, dir)
		os.RemoveAll(dir)
		if !ok {
			continue
		}
		if n != want {
			b.Fatalf("%s has delivered %d of %d messages", c.name, n, want)
		}
		return took
	}
	b.Fatalf("%s fails again and again", c.name)
	return 0
}

func always(run func(*testing.B, string, string)) func(*testing.B, string, string) bool {
	return func(b *testing.B, addr, dir string) bool {
		run(b, addr, dir)
		return true
	}
}

// durableDir returns a new folder on the disk.
func durableDir(b *testing.B, nobody bool) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "postbag-durable-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	if nobody && os.Getuid() == 0 {
		if err := os.Chown(dir, nobodyID, nobodyID); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

const nobodyID = 65534

// countMail counts the messages that a reader of the Maildir finds.
func countMail(b *testing.B, dir string) int {
	b.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if sub := filepath.Base(filepath.Dir(name)); err == nil && !d.IsDir() && (sub == "new" || sub == "cur") {
			n++
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func postbagDurable(p retrieval.Protocol) func(*testing.B, string, string) {
	return func(b *testing.B, addr, dir string) {
		sink, err := disk.OpenMaildir(filepath.Join(dir, "m"))
		if err != nil {
			b.Fatal(err)
		}
		defer sink.Close()
		ledger, err := disk.OpenLedger(filepath.Join(dir, "ledger"))
		if err != nil {
			b.Fatal(err)
		}
		defer ledger.Close()
		retrieveInto(b, account(p, addr), sink, ledger, small.messages)
	}
}

// drainDurable writes, syncs and renames one message after the other.
func drainDurable(raw func(*testing.B, string, int, func([]byte)) time.Duration) func(*testing.B, string, string) {
	return func(b *testing.B, addr, dir string) {
		for _, sub := range []string{"tmp", "new", "cur"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
				b.Fatal(err)
			}
		}
		n := 0
		var msg []byte
		raw(b, addr, small.messages, func(piece []byte) {
			if piece != nil {
				msg = append(msg, piece...)
				return
			}
			n++
			if err := writeDurably(dir, fmt.Sprint(n), msg); err != nil {
				b.Fatal(err)
			}
			msg = msg[:0]
		})
		folder, err := os.Open(filepath.Join(dir, "new"))
		if err != nil {
			b.Fatal(err)
		}
		defer folder.Close()
		if err := folder.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func writeDurably(dir, name string, msg []byte) error {
	f, err := os.Create(filepath.Join(dir, "tmp", name))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(msg); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, "new", name))
}

// getmailInto retrieves into the Maildir m in the folder dir.
// It sometimes misses that its child process has delivered a message, and gives
// up; then ok is false.
func getmailInto(retriever string) func(*testing.B, string, string) bool {
	return func(b *testing.B, addr, dir string) (ok bool) {
		host, port := hostPort(addr)
		rc := filepath.Join(dir, "getmailrc")
		err := os.WriteFile(rc, fmt.Appendf(nil, "[retriever]\ntype = %s\nserver = %s\nport = %d\nusername = %s\npassword = %s\n[destination]\ntype = Maildir\npath = %s/m/\n[options]\nread_all = false\ndelete = false\nverbose = 0\nreceived = false\ndelivered_to = false\n",
			retriever, host, port, fewUser, password, dir), 0o600)
		for _, sub := range []string{"m", "m/tmp", "m/new", "m/cur"} {
			if err == nil {
				err = os.Mkdir(filepath.Join(dir, sub), 0o700)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		var credential *syscall.Credential
		if os.Getuid() == 0 {
			for _, name := range []string{"getmailrc", "m", "m/tmp", "m/new", "m/cur"} {
				if err := os.Chown(filepath.Join(dir, name), nobodyID, nobodyID); err != nil {
					b.Fatal(err)
				}
			}
			credential = &syscall.Credential{Uid: nobodyID, Gid: nobodyID}
		}
		cmd := exec.Command("getmail", "--getmaildir", dir, "--rcfile", rc)
		cmd.Env = append(os.Environ(), "HOME="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		out, err := cmd.CombinedOutput()
		if err != nil && !bytes.Contains(out, []byte("waiting child pid")) {
			b.Fatalf("getmail: %v\n%s", err, out)
		}
		return err == nil
	}
}
