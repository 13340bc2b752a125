package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func TestMbox(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := []string{"-json", "-policy", "delete", "-to", "mbox:" + w.path("mbox"), "-ledger", w.path("ledger"), w.url}
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		data, err := os.ReadFile(w.path("mbox"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for m, err := range disk.ReadMbox(bytes.NewReader(data)) {
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(m)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(text))
		}
		slices.Sort(got)
		if !slices.Equal(got, sorted(demoMail())) {
			t.Errorf("%s: %d messages in the mbox, not those of the server", p, len(got))
		}
	}
}

// The program gets each message, and its arguments as they are, for no shell
// looks at them. What it says decides.
func TestPipe(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here")
	}
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		w.write("take", "test $# = 2 || exit 75; cat >$1/taken.$POSTBAG_UID; grep -q 'Subject: Lunch on Friday' $1/taken.$POSTBAG_UID && exit 65; echo $2 >>$1/args\n")
		args := []string{"-allow-root", "-policy", "delete", "-to", "pipe:sh " + w.path("take") + " " + w.dir + " $(id);x", "-ledger", w.path("ledger"), w.url}
		r := w.mailget(args...)
		if r.code != 1 || !strings.Contains(r.stdout, "11 delivered") || !strings.Contains(r.stdout, "11 deleted there, 1 failed") || strings.Contains(r.stderr, "Friday") {
			t.Errorf("%s: %+v, want one message refused", p, r)
		}
		if data, _ := os.ReadFile(w.path("args")); string(data) != strings.Repeat("$(id);x\n", 11) {
			t.Errorf("%s: the last argument was %q", p, data)
		}
		var got []string
		files, _ := filepath.Glob(w.path("taken.*"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(data))
		}
		slices.Sort(got)
		if !slices.Equal(got, sorted(demoMail())) || len(w.server.Contents()) != 1 {
			t.Errorf("%s: the program got %d messages, %d are there", p, len(got), len(w.server.Contents()))
		}
	}
}

// Root runs no program unless that is asked for by name.
func TestPipeAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is about root")
	}
	w := newPlace(t, retrieval.IMAP)
	w.write("take", "touch $1/taken\n")
	w.server.Deliver(demoMail()...)
	r := w.mailget("-to", "pipe:sh "+w.path("take")+" "+w.dir, w.url)
	if _, err := os.Stat(w.path("taken")); r.code != 2 || !strings.Contains(r.stderr, "-allow-root") || err == nil {
		t.Errorf("%+v, %v, want exit code 2", r, err)
	}
}

// lmtp is a mail server that takes everything, one recipient excepted.
type lmtp struct {
	addr string

	mu   sync.Mutex
	mail []string // what came, and for whom
}

func newLMTP(t *testing.T, network, addr string) *lmtp {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	s := &lmtp{addr: ln.Addr().String()}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *lmtp) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	fmt.Fprint(c, "220 mail\r\n")
	var rcpt []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(word) {
		case "LHLO":
			fmt.Fprint(c, "250-mail\r\n250 8BITMIME\r\n")
		case "MAIL":
			rcpt = nil
			fmt.Fprint(c, "250 ok\r\n")
		case "RCPT":
			if strings.Contains(rest, "nobody") {
				fmt.Fprint(c, "550 5.1.1 nobody\r\n")
				continue
			}
			rcpt = append(rcpt, strings.TrimPrefix(strings.ToLower(rest), "to:"))
			fmt.Fprint(c, "250 ok\r\n")
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			var text strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			for _, to := range rcpt {
				s.mu.Lock()
				s.mail = append(s.mail, to+" "+text.String())
				s.mu.Unlock()
				fmt.Fprint(c, "250 taken\r\n")
			}
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

func TestLMTP(t *testing.T) {
	for i, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		network, addr := "tcp", "127.0.0.1:0"
		if i > 0 {
			network, addr = "unix", w.path("socket")
		}
		s := newLMTP(t, network, addr)
		args := []string{"-policy", "delete", "-to", "lmtp:" + s.addr, "-rcpt", "joe", w.url}
		r := w.mailget(append(args, "-rcpt", "nobody")...)
		if r.code != 1 || len(w.server.Contents()) != 12 {
			t.Errorf("%s, with a recipient that is none: %+v, %d messages there", p, r, len(w.server.Contents()))
		}
		s.mail = nil
		if got, want := w.must(w.mailget(append(args, "-rcpt", "ann@example.com", "-json", "-ledger", w.path("ledger"))...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		slices.Sort(s.mail)
		var want []string
		for _, m := range demoMail() {
			want = append(want, "<joe> "+string(m), "<ann@example.com> "+string(m))
		}
		slices.Sort(want)
		if !slices.Equal(s.mail, want) {
			t.Errorf("%s: the server took %d messages, not the %d of the mailbox", p, len(s.mail), len(want))
		}
	}
}

// A mail server that is not there is one clear error, and costs no mail.
func TestLMTPDown(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := []string{"-json", "-policy", "delete", "-to", "lmtp:" + w.path("socket"), "-rcpt", "joe", "-ledger", w.path("ledger"), w.url}
		r := w.mailget(args...)
		if r.code != 6 || !strings.HasPrefix(r.stderr, "mailget: the mail cannot be delivered: ") || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want exit code 6", p, r)
		}
		newLMTP(t, "unix", w.path("socket"))
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s, with the server: %+v, want %+v", p, got, want)
		}
	}
}

// Several mailboxes become a tree, and what is moved away does not come again.
func TestMailboxes(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()[:3]...)
	for _, name := range []string{"Work/2026", "Junk", "Done"} {
		w.server.Create(name)
	}
	w.server.DeliverTo("Work/2026", demoMail()[3:7]...)
	w.server.DeliverTo("Junk", demoMail()[7:]...)
	args := w.into("-json", "-mailboxes", "*, -Junk", "-move-to", "Done", w.url)
	if got, want := w.must(w.mailget(args...)), (report{Listed: 7, Delivered: 7, Acted: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !slices.Equal(w.files(), sorted(demoMail()[:3])) || !slices.Equal(w.filesIn("mail/.Work.2026"), sorted(demoMail()[3:7])) {
		t.Errorf("%d files in INBOX, %d in Work/2026", len(w.files()), len(w.filesIn("mail/.Work.2026")))
	}
	if n := len(w.server.ContentsOf("Done")); n != 7 {
		t.Errorf("%d messages in Done, want 7", n)
	}
	if got := w.must(w.mailget(args...)); got != (report{}) {
		t.Errorf("again: %+v", got)
	}
	r := w.mailget(w.into("-mailboxes", "Junk,INBOX", w.url)...)
	if lines := strings.Split(r.stdout, "\n"); r.code != 0 || len(lines) != 4 || !strings.HasPrefix(lines[1], "Junk: 5 messages on the server, 5 delivered") {
		t.Errorf("%+v, want a line for each mailbox", r)
	}
}
