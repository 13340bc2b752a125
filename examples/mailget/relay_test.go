package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// lmtp is a mail server that takes everything, one recipient excepted.
type lmtp struct {
	addr string
	smtp bool // it answers once for all recipients

	mu   sync.Mutex
	mail []string // what came, and for whom
}

func newLMTP(t *testing.T, network, addr string) *lmtp {
	t.Helper()
	return newRelay(t, network, addr, false)
}

func newRelay(t *testing.T, network, addr string, smtp bool) *lmtp {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	s := &lmtp{addr: ln.Addr().String(), smtp: smtp}
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
		case "LHLO", "EHLO":
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
				if !s.smtp {
					fmt.Fprint(c, "250 taken\r\n")
				}
			}
			if s.smtp {
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

// took returns what the server has taken, sorted, and forgets it.
func (s *lmtp) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	mail := s.mail
	s.mail = nil
	slices.Sort(mail)
	return mail
}

// forEach is the demo's mail as a server takes it for recipients.
func forEach(recipients ...string) []string {
	var all []string
	for _, to := range recipients {
		for _, m := range demoMail() {
			all = append(all, to+" "+string(m))
		}
	}
	slices.Sort(all)
	return all
}

func TestSMTP(t *testing.T) {
	for i, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		network, addr := "tcp", "127.0.0.1:0"
		if i > 0 {
			network, addr = "unix", w.path("socket")
		}
		s := newRelay(t, network, addr, true)
		args := []string{"-json", "-policy", "delete", "-to", "smtp:" + s.addr, "-rcpt", "joe@example.com", "-rcpt", "ann@example.com", "-ledger", w.path("ledger"), w.url}
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if got, want := s.took(), forEach("<joe@example.com>", "<ann@example.com>"); !slices.Equal(got, want) {
			t.Errorf("%s: the server took %d messages, not the %d of the mailbox", p, len(got), len(want))
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
