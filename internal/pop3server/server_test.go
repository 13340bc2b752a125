package pop3server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/pop3server"
)

// talk sends lines one by one, "C: …" in the script, and compares what the
// server says, "S: …" or "S::" for an empty line; the lines of a script stand apart by newlines.
func talk(t *testing.T, srv *pop3server.Server, script string) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for line := range strings.SplitSeq(script, "\n") {
		who, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch who {
		case "C":
			io.WriteString(conn, strings.ReplaceAll(text, "|", "\r\n")+"\r\n")
		case "S", "S::":
			got, err := r.ReadString('\n')
			if err != nil || got != text+"\r\n" {
				t.Fatalf("the server says %q, %v, want %q", got, err, text)
			}
		case "S end":
			if got, err := r.ReadString('\n'); err != io.EOF {
				t.Fatalf("the server says %q, %v, want it to hang up", got, err)
			}
		}
	}
}

const login = `
	S: +OK postbag test server ready
	C: USER joe
	S: +OK
	C: PASS sec ret
	S: +OK logged in`

func start(t *testing.T, o pop3server.Options) *pop3server.Server {
	t.Helper()
	o.User, o.Password = "joe", "sec ret"
	srv, err := pop3server.Start(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

func TestSession(t *testing.T) {
	srv := start(t, pop3server.Options{})
	uid := srv.Deliver([]byte("A: b\r\n\r\n.\r\n..x\r\nlast"))
	srv.Deliver([]byte("A: c\n\nbare\n.\n\r\n"))
	srv.Deliver(nil)
	talk(t, srv, login+`
	C: STAT
	S: +OK 3 35
	C: list
	S: +OK
	S: 1 20
	S: 2 15
	S: 3 0
	S: .
	C: LIST 2
	S: +OK 2 15
	C: UIDL 1
	S: +OK 1 `+uid+`
	C: RETR 1
	S: +OK 20 octets
	S: A: b
	S::
	S: ..
	S: ...x
	S: last
	S: .
	C: TOP 1 1
	S: +OK
	S: A: b
	S::
	S: ..
	S: .
	C: TOP 1 0
	S: +OK
	S: A: b
	S::
	S: .
	C: RETR 3
	S: +OK 0 octets
	S: .
	C: RETR 4
	S: -ERR no such message
	C: DELE 1
	S: +OK marked
	C: DELE 1
	S: -ERR no such message
	C: STAT
	S: +OK 2 15
	C: LIST
	S: +OK
	S: 2 15
	S: 3 0
	S: .
	C: RSET
	S: +OK
	C: NOOP
	S: +OK
	C: STAT
	S: +OK 3 35
	C: HELO
	S: -ERR unknown command
	C: DELE 3
	S: +OK marked
	C: QUIT
	S: +OK bye
	S end: `)
	if msgs := srv.Messages(); len(msgs) != 2 || msgs[0].UID != uid {
		t.Errorf("%d messages left, want the first two", len(msgs))
	}
}

// What a session sees is what was there at login; what it deletes, only QUIT
// makes true.
func TestSnapshot(t *testing.T) {
	srv := start(t, pop3server.Options{})
	first := srv.Deliver([]byte("A: b\r\n"))
	talk(t, srv, login+`
	C: DELE 1
	S: +OK marked`) // and the line is dropped
	if n := len(srv.Messages()); n != 1 {
		t.Fatalf("%d messages after a dropped line, want 1", n)
	}
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "USER joe\r\nPASS sec ret\r\nSTAT\r\n")
	r := bufio.NewReader(conn)
	for range 4 {
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	srv.Deliver([]byte("late\r\n"))
	srv.Delete(first)
	io.WriteString(conn, "STAT\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
	rest, err := io.ReadAll(r)
	if want := "+OK 1 6\r\n+OK 6 octets\r\nA: b\r\n.\r\n+OK marked\r\n+OK bye\r\n"; err != nil || string(rest) != want {
		t.Errorf("got %q, %v, want %q", rest, err, want)
	}
	if msgs := srv.Messages(); len(msgs) != 1 || string(msgs[0].Data) != "late\r\n" {
		t.Errorf("left is %q, want the late one", msgs)
	}
}

func TestAuthorization(t *testing.T) {
	srv := start(t, pop3server.Options{})
	talk(t, srv, `
	S: +OK postbag test server ready
	C: STAT
	S: -ERR unknown command, or not before login
	C: PASS sec ret
	S: -ERR USER first
	C: USER joe
	S: +OK
	C: PASS wrong
	S: -ERR [AUTH] wrong user or password
	C: QUIT
	S: +OK bye
	S end: `)
}

func TestSwitches(t *testing.T) {
	srv := start(t, pop3server.Options{NoUIDL: true, NoTOP: true, NoPipelining: true, RefuseQUIT: true})
	srv.Deliver([]byte("A: b\r\n"))
	talk(t, srv, login+`
	C: CAPA
	S: +OK capabilities follow
	S: RESP-CODES
	S: AUTH-RESP-CODE
	S: EXPIRE NEVER
	S: IMPLEMENTATION postbag
	S: .
	C: UIDL
	S: -ERR unknown command
	C: TOP 1 0
	S: -ERR unknown command
	C: STAT|NOOP|NOOP
	S: +OK 1 6
	C: DELE 1
	S: +OK marked
	C: QUIT
	S: -ERR [SYS/TEMP] some deleted messages not removed
	S end: `)
	if n := len(srv.Messages()); n != 1 {
		t.Errorf("%d messages after a refused QUIT, want 1", n)
	}
	talk(t, start(t, pop3server.Options{NoCAPA: true}), `
	S: +OK postbag test server ready
	C: CAPA
	S: -ERR unknown command, or not before login`)
}

func TestPipelining(t *testing.T) {
	srv := start(t, pop3server.Options{})
	var want strings.Builder
	var cmds strings.Builder
	for i := range 1000 {
		srv.Deliver(fmt.Appendf(nil, "number %d\r\n", i+1))
		fmt.Fprintf(&cmds, "RETR %d\r\n", i+1)
		fmt.Fprintf(&want, "+OK %d octets\r\nnumber %[2]d\r\n.\r\n", len(fmt.Sprintf("number %d\r\n", i+1)), i+1)
	}
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, "USER joe\r\nPASS sec ret\r\n"+cmds.String()+"QUIT\r\n")
	got, err := io.ReadAll(conn)
	_, replies, _ := strings.Cut(string(got), "+OK logged in\r\n")
	if err != nil || replies != want.String()+"+OK bye\r\n" {
		t.Errorf("got %d octets, %v, want %d", len(replies), err, want.Len())
	}
}

func TestClose(t *testing.T) {
	srv := start(t, pop3server.Options{})
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	srv.Close()
	if _, err := r.ReadString('\n'); err == nil {
		t.Error("a session goes on after Close")
	}
	if _, err := net.Dial("tcp", srv.Addr()); err == nil {
		t.Error("the port is open after Close")
	}
}
