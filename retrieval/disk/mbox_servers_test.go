package disk_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var addedHeader = regexp.MustCompile(`X-UIDL: .*\r\n`)

// TestMboxServers delivers into the mailboxes of servers that keep mail in
// mboxes, and retrieves it from them: they see the same messages, and locks that
// they respect. popa3d does not take back the ">" of mboxrd. Mailutils
// writes the mailbox anew after a session, with other From_ lines, so that Find
// knows the deliveries no more.
func TestMboxServers(t *testing.T) {
	bodies := []string{
		"Return-Path: <joe@example.com>\r\nSubject: 1\r\nMessage-ID: <1@example.com>\r\nDate: Thu, 26 Nov 2026 01:00:01 +0000\r\n\r\nhello\r\n",
		"Return-Path: <a@example.com>\r\nSubject: 2\r\nMessage-ID: <2@example.com>\r\nDate: Thu, 26 Nov 2026 01:00:02 +0000\r\n\r\n.\r\n..\r\n\r\nFrom the start\r\n\r\n>From x\r\n",
		"Subject: 3\r\nMessage-ID: <3@example.com>\r\nDate: Thu, 26 Nov 2026 01:00:03 +0000\r\n\r\nlast\r\n",
	}
	for _, kind := range []servers.Kind{servers.Mailutils, servers.Popa3d} {
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: "joe", Password: "secret"})
			m, err := disk.OpenMbox(s.Mbox("joe"), &disk.MboxOptions{Work: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			var refs []string
			for i, body := range bodies {
				ref, err := m.Deliver(t.Context(), message(strconv.Itoa(i), body))
				if err != nil {
					t.Fatal(err)
				}
				refs = append(refs, ref)
			}
			if err := m.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			past := time.Now().Add(-2 * time.Second) // popa3d waits for the end of the second
			if err := os.Chtimes(s.Mbox("joe"), past, past); err != nil {
				t.Fatal(err)
			}
			host, port, err := net.SplitHostPort(s.POP3)
			if err != nil {
				t.Fatal(err)
			}
			a := retrieval.Account{Protocol: retrieval.POP3, Host: host, Security: retrieval.Plaintext, User: "joe"}
			a.Port, _ = strconv.Atoi(port)
			a.Password = func(context.Context) (string, error) { return "secret", nil }
			var got []string
			_, err = retrieval.Run(t.Context(), a, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				data, err := io.ReadAll(m)
				got = append(got, string(bytes.TrimRight(data, "\r\n")))
				return err
			}), new(retrieval.Memory))
			if err != nil || len(got) != len(bodies) {
				t.Fatalf("%q, %v", got, err)
			}
			var want []string
			for i, body := range bodies {
				if kind == servers.Popa3d {
					body = strings.NewReplacer("\r\nFrom ", "\r\n>From ", "\r\n>From x", "\r\n>>From x").Replace(body)
				}
				want = append(want, strings.TrimRight(body, "\r\n"))
				got[i] = addedHeader.ReplaceAllString(got[i], "")
			}
			if !slices.Equal(got, want) {
				t.Errorf("the server has\n%q, want\n%q", got, want)
			}
			for i := range bodies {
				if ref, found, err := m.Find(t.Context(), inbox, retrieval.Record{UID: retrieval.UID(strconv.Itoa(i))}); found != (kind == servers.Popa3d) || found && ref != refs[i] || err != nil {
					t.Errorf("Find = %q, %v, %v of %q", ref, found, err, refs[i])
				}
			}
		})
	}
}
