package retrievaltest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// What a Gmail user of POP3 sees: 250 messages at a time, each of them once,
// and all of them still there for IMAP.
func TestServerGmailPOP3(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Profile: retrievaltest.Gmail})
	s.Deliver(letters(300)...)
	a := s.Account(retrieval.POP3)
	a.Policy = retrieval.DownloadAndDelete
	for i, want := range []int{250, 50, 0} {
		got := 0
		_, err := retrieval.Run(t.Context(), a, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
			if got++; !strings.HasPrefix(string(m.UID), "GmailId") {
				t.Errorf("UID %s", m.UID)
			}
			return nil
		}), new(retrieval.Memory))
		if err != nil || got != want {
			t.Fatalf("run %d: %d messages, %v, want %d", i+1, got, err, want)
		}
	}
	if n := len(s.Contents()); n != 300 {
		t.Errorf("%d messages in the INBOX, want all", n)
	}
}

// A session that is dropped hides nothing, and one that QUITs what it read.
func TestServerGmailQuit(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Profile: retrievaltest.Gmail})
	s.Deliver(letters(3)...)
	a := s.Account(retrieval.POP3)
	if held, err := s.Mailbox(retrieval.POP3).Contents(); err != nil || !slices.Equal(listed(t, a), []retrieval.UID{held[0].UID, held[1].UID, held[2].UID}) {
		t.Errorf("the suite is told of other UIDs than POP3: %+v, %v", held, err)
	}
	read := func(n int, commit bool) {
		t.Helper()
		r, err := retrieval.Open(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		uids, err := list(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range r.Fetch(t.Context(), uids[:n]...) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, m); err != nil {
				t.Fatal(err)
			}
		}
		if commit {
			if _, err := r.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	read(3, false)
	if n := len(listed(t, a)); n != 3 {
		t.Fatalf("%d messages after a session without QUIT, want 3", n)
	}
	read(2, true)
	if n := len(listed(t, a)); n != 1 {
		t.Fatalf("%d messages after QUIT, want 1", n)
	}
	a.User = "recent:" + a.User
	if n := len(listed(t, a)); n != 3 {
		t.Fatalf("%d messages with recent:, want 3", n)
	}
}

// What is deleted in Gmail's INBOX stays in All Mail.
func TestServerGmailIMAP(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Profile: retrievaltest.Gmail})
	s.Deliver(letters(3)...)
	a := s.Account(retrieval.IMAP)
	a.Policy = retrieval.DownloadAndDelete
	rep, err := retrieval.Run(t.Context(), a, retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil }), new(retrieval.Memory))
	if err != nil || rep.Delivered != 3 || rep.Deleted != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if in, all := len(s.Contents()), len(s.ContentsOf("[Gmail]/All Mail")); in != 0 || all != 3 {
		t.Errorf("%d messages in the INBOX and %d in All Mail, want 0 and 3", in, all)
	}
	s.Delete(s.ContentsOf("[Gmail]/All Mail")[0].UIDL)
	if all := len(s.ContentsOf("[Gmail]/All Mail")); all != 2 {
		t.Errorf("%d messages in All Mail after Delete, want 2", all)
	}
}

// Exchange wants XOAUTH2 over POP3 in two steps, and does without PIPELINING.
func TestServerExchangePOP3(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext, Profile: retrievaltest.Exchange})
	s.Deliver([]byte("Subject: of some length\r\n\r\n" + strings.Repeat("x", 100) + "\r\n"))
	token := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", retrievaltest.User, retrievaltest.Password))
	for _, tt := range []struct{ name, say, want string }{
		{"at once", "AUTH XOAUTH2 " + token + "\r\n", "-ERR Protocol error. Connection is closed. 10\r\n"},
		{"two steps", "CAPA\r\nAUTH XOAUTH2\r\n" + token + "\r\nLIST\r\nQUIT\r\n", "+OK capabilities follow\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN XOAUTH2\r\n.\r\n" +
			"+ \r\n+OK logged in\r\n+OK\r\n1 100\r\n.\r\n+OK bye\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := s.Account(retrieval.POP3).Dial(t.Context(), "tcp", "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(conn, tt.say)
			got, err := io.ReadAll(conn)
			if want := "+OK The Microsoft Exchange POP3 service is ready. [cG9zdGJhZw==]\r\n" + tt.want; err != nil || string(got) != want {
				t.Errorf("the server says %q, %v, want %q", got, err, want)
			}
		})
	}
	for _, p := range protocols {
		if n := len(listed(t, s.Account(p))); n != 1 {
			t.Errorf("%s lists %d messages, want 1", p, n)
		}
	}
	a := s.Account(retrieval.IMAP)
	a.Password = func(context.Context) (string, error) { return "wrong", nil }
	for _, p := range protocols {
		a.Protocol, a.Dial = p, s.Account(p).Dial
		if _, err := retrieval.Open(t.Context(), a); !errors.Is(err, retrieval.ErrAuth) {
			t.Errorf("%s: %v, want ErrAuth", p, err)
		}
	}
}

// poplibScript is Python's poplib as another judge.
const poplibScript = `
import poplib, ssl, sys
ctx = ssl.create_default_context()
ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
M = poplib.POP3_SSL(sys.argv[1], int(sys.argv[2]), context=ctx)
assert 'UIDL' in M.capa(), M.capa()
M.user(sys.argv[3]); M.pass_(sys.argv[4])
assert M.stat()[0] == 3, M.stat()
uids = [l.decode().split()[1] for l in M.uidl()[1]]
assert len(set(uids)) == 3 and all(u.split('.')[1].isdigit() for u in uids), uids
assert b'\r\n'.join(M.retr(1)[1]) == b'From: a@example.com\r\nSubject: 1\r\n\r\nnumber 1', M.retr(1)
assert M.top(2, 0)[1] == [b'From: a@example.com', b'Subject: 2', b''], M.top(2, 0)
M.dele(1)
M.quit()
print('fine')
`

func TestServerPoplib(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here: its poplib does not judge the server")
	}
	s := retrievaltest.NewServer(t, nil)
	s.Deliver(letters(3)...)
	a := s.Account(retrieval.POP3)
	out, err := exec.CommandContext(t.Context(), python, "-c", poplibScript, a.Host, strconv.Itoa(a.Port), retrievaltest.User, retrievaltest.Password).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "fine" {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(s.Contents()); n != 2 {
		t.Errorf("%d messages left, want 2", n)
	}
}
