package fakemail_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/fakemail"
)

// mailer is a server with the user joe, whose password is secret.
type mailer struct {
	*fakemail.Store
	addr string
	uids []string // of the messages delivered by mails
}

func start(t *testing.T, p fakemail.Profile, o *fakemail.Options) *mailer {
	t.Helper()
	if o == nil {
		o = new(fakemail.Options)
	}
	m := &mailer{Store: fakemail.NewStore(p)}
	m.AddUser("joe", "secret")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = ln.Addr().String()
	srv := fakemail.NewServer(m.Store, o)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go srv.Serve(c)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-ended
		srv.Close()
	})
	return m
}

// put delivers a message with flags to a mailbox of joe.
func (m *mailer) put(t *testing.T, mailbox, data string, flags ...string) string {
	t.Helper()
	msg, err := m.Deliver("joe", mailbox, []byte(data), flags...)
	if err != nil {
		t.Fatal(err)
	}
	uid := fmt.Sprintf("%d.%d", msg.Validity, msg.UID)
	m.uids = append(m.uids, uid)
	return uid
}

// mails delivers n short messages to the INBOX.
func (m *mailer) mails(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		m.put(t, "INBOX", fmt.Sprintf("Subject: %d\r\n\r\nnumber %d\r\n", i+1, i+1))
	}
}

// talk plays a script. "C: " before what the client says, "S: " before what
// the server must say; a digit before the colon tells clients apart; "do: " is
// followed by the name of something to be done meanwhile. In what the server
// says "…" stands for anything within the line.
func talk(t *testing.T, m *mailer, script string, do map[string]func()) {
	t.Helper()
	type client struct {
		net.Conn
		r *bufio.Reader
	}
	clients := make(map[string]*client)
	for i, line := range strings.Split(script, "\n") {
		line = strings.TrimLeft(line, "\t")
		who, text, found := strings.Cut(line, ": ")
		if !found {
			if who, found = strings.CutSuffix(line, ":"); !found {
				if line != "" {
					t.Fatalf("line %d: %q", i, line)
				}
				continue
			}
		}
		if who == "do" {
			do[text]()
			continue
		}
		id := who[1:]
		c := clients[id]
		if c == nil {
			conn, err := net.Dial("tcp", m.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			c = &client{conn, bufio.NewReader(conn)}
			clients[id] = c
			if got, err := c.r.ReadString('\n'); err != nil || !strings.HasPrefix(got, "* OK ") {
				t.Fatalf("greeting %q, %v", got, err)
			}
		}
		switch who[0] {
		case 'C':
			io.WriteString(c, text+"\r\n")
		case 'S':
			got, err := c.r.ReadString('\n')
			if text == "END" && err == io.EOF {
				continue
			}
			if err != nil || !fits(text, strings.TrimRight(got, "\r\n")) {
				c.SetDeadline(time.Now().Add(50 * time.Millisecond))
				rest, _ := io.ReadAll(c.r)
				t.Fatalf("line %d: the server says\n%s, %v, want\n%s\nand then it says\n%s", i, got, err, text, rest)
			}
		}
	}
	for id, c := range clients { // nothing more is said
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, "zz LOGOUT\r\n")
		rest, _ := io.ReadAll(c.r)
		if got := string(rest); got != "" && got != "* BYE see you\r\nzz OK LOGOUT completed\r\n" {
			t.Fatalf("client %q is told more: %s", id, got)
		}
	}
}

func fits(pattern, line string) bool {
	parts := strings.Split(pattern, "…")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("^(?s:" + strings.Join(parts, ".*") + ")$").MatchString(line)
}

// login and inbox are how most scripts begin: the second with n messages in
// the INBOX of which none is seen.
const login = `
	C: l LOGIN joe secret
	S: l OK …`

const inbox = login + `
	C: i SELECT INBOX
	S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
	S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] …
	S: * … EXISTS
	S: * … RECENT
	S: * OK [UNSEEN 1] …
	S: * OK [UIDVALIDITY 3857529045] …
	S: * OK [UIDNEXT …] …
	S: * OK [HIGHESTMODSEQ …] …
	S: * OK [MAILBOXID (Fe5ed38d5)] …
	S: i OK [READ-WRITE] selected`

// of returns a script as another client's, whose name is a digit.
func of(client, script string) string {
	return strings.NewReplacer("C: ", "C"+client+": ", "S: ", "S"+client+": ").Replace(script)
}
