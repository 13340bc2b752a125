package fakemail_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

func TestAdhoc(t *testing.T) {
	var msgs [][]byte
	var names []string
	filepath.WalkDir("/work/shared/corpus/messages", func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch filepath.Ext(p) {
		case ".eml", ".raw", ".msg":
		default:
			return nil
		}
		data, _ := os.ReadFile(p)
		if len(data) > 300_000 || bytes.IndexByte(data, 0) >= 0 {
			return nil
		}
		data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		msgs, names = append(msgs, data), append(names, p)
		return nil
	})
	os.WriteFile("/tmp/adhoc.names", []byte(strings.Join(names, "\n")), 0o644)
	ask := func(addr, login, file string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(60 * time.Second))
		io.WriteString(conn, login+"2 SELECT INBOX\r\n3 FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n4 FETCH 1:* (BODY.PEEK[1.MIME] BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\n5 LOGOUT\r\n")
		all, err := io.ReadAll(bufio.NewReader(conn))
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(file, all, 0o644)
	}
	m := start(t, 0, nil)
	for _, msg := range msgs {
		m.put(t, "INBOX", string(msg))
	}
	ask(m.addr, "1 LOGIN joe secret\r\n", "/tmp/adhoc.fake")
	if os.Getenv("DOVECOT") != "" {
		d := servers.Start(t, servers.Dovecot, servers.User{Name: "joe", Password: "secret"})
		d.Deliver(t, "joe", msgs...)
		t.Log(d.IMAP, d.IMAPS)
		ask2(t, d.IMAPS, "/tmp/adhoc.dove")
	}
	t.Log(len(msgs))
}

func ask2(t *testing.T, addr, file string) {
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	go func() {
		io.WriteString(conn, "1 LOGIN joe secret\r\n")
		time.Sleep(time.Second)
		io.WriteString(conn, "2 SELECT INBOX\r\n3 FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n4 FETCH 1:* (BODY.PEEK[1.MIME] BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\n5 LOGOUT\r\n")
	}()
	all, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Log(err)
	}
	os.WriteFile(file, all, 0o644)
}
