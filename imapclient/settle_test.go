package imapclient_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

func TestCompress(t *testing.T) {
	const caps = "S: * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\nC: a1 LOGIN …\nS: a1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in\n"
	for _, tt := range []struct{ name, script string }{
		{"on", caps + lines("C: a2 COMPRESS DEFLATE", "S: a2 OK begin", "= COMPRESS",
			"C: a3 EXAMINE INBOX", "S: * 2 EXISTS", "S: * OK [UIDVALIDITY 1] v", "S: a3 OK",
			"C: a4 UID FETCH 1 …", "S: * 1 FETCH (UID 1 BODY[] {100000}", "S*: 100000", "S: )", "S: a4 OK")},
		{"refused", caps + lines("C: a2 COMPRESS DEFLATE", "S: a2 NO [COMPRESSIONACTIVE] TLS does it",
			"C: a3 EXAMINE INBOX", "S: * 2 EXISTS", "S: * OK [UIDVALIDITY 1] v", "S: a3 OK",
			"C: a4 UID FETCH 1 …", "S: * 1 FETCH (UID 1 BODY[] {100000}", "S*: 100000", "S: )", "S: a4 OK")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := play(t, tt.script, &imapclient.Options{Compress: imapclient.CompressAlways})
			mustLogin(t, c)
			if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			for m, err := range c.Bodies(t.Context(), 1) {
				if err != nil {
					t.Fatal(err)
				}
				if n, err := m.WriteTo(io.Discard); n != 100000 || err != nil {
					t.Errorf("%d octets, %v", n, err)
				}
			}
			if in := c.Stats().In; (in < 10000) != (tt.name == "on") {
				t.Errorf("%d octets came", in)
			}
		})
	}
	c := play(t, caps+lines("C: a2 COMPRESS DEFLATE", "S: a2 OK begin", "S: * garbage that is not compressed", "C64: cg==", "= CLOSE"), &imapclient.Options{Compress: imapclient.CompressAlways})
	err := c.Login(t.Context(), "joe", "secret pass")
	if err == nil {
		_, err = c.Noop(t.Context())
	}
	if !errors.Is(err, imapclient.ErrProtocol) {
		t.Errorf("what is not compressed: %v, want ErrProtocol", err)
	}
}

// F114: what inflates without end is bounded as anything else.
func TestCompressBomb(t *testing.T) {
	c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi", "C: a1 LOGIN …", "S: a1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in",
		"C: a2 COMPRESS DEFLATE", "S: a2 OK begin", "= COMPRESS", "C: a3 NOOP", b64("* "+strings.Repeat("A", 8<<20)), "= CLOSE"), &imapclient.Options{Compress: imapclient.CompressAlways})
	mustLogin(t, c)
	if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrProtocol) {
		t.Errorf("%v, want ErrProtocol", err)
	}
}

func TestID(t *testing.T) {
	c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 ID] hi", `C: a1 ID ("name" "x \"y\"" "version" "1")`, `S: * ID ("name" "Cyrus" "Vendor" NIL "os" {5}`, `S: linux "x" ("y"))`, "S: a1 OK",
		"C: a2 ID NIL", "S: * ID NIL", "S: a2 OK", "C: a3 ID NIL", "S: a3 BAD what"), nil)
	got, err := c.ID(t.Context(), map[string]string{"version": "1", "name": `x "y"`})
	if want := map[string]string{"name": "Cyrus", "os": "linux"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("ID = %v, %v, want %v", got, err, want)
	}
	if got, err := c.ID(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("ID = %v, %v", got, err)
	}
	if _, err := c.ID(t.Context(), nil); err == nil {
		t.Error("BAD is no error")
	}
	for _, bad := range []map[string]string{{"a": "b\r\nc"}, {"a\nb": "c"}, {"ä": "b"}, {"a": strings.Repeat("x", 2000)}} {
		if _, err := c.ID(t.Context(), bad); err == nil {
			t.Errorf("%.40q is accepted", bad)
		}
	}
}

// Servers of the Coremail family open no mailbox for a client without a name.
func TestIDWhereItIsDemanded(t *testing.T) {
	c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 ID] Coremail System IMap Server Ready(163com)", "C: a1 LOGIN …", "S: a1 OK [CAPABILITY IMAP4rev1 ID] in",
		`C: a2 ID ("name" …)`, `S: * ID ("name" "Coremail Imap")`, "S: a2 OK"), nil)
	mustLogin(t, c)
	// What a caller tells goes out too, and a refusal does not matter.
	c = play(t, lines("S: * OK [CAPABILITY IMAP4rev1 ID] hi", "C: a1 LOGIN …", "S: a1 OK [CAPABILITY IMAP4rev1 ID] in", `C: a2 ID ("name" "mine")`, "S: a2 NO"), &imapclient.Options{ID: map[string]string{"name": "mine"}})
	mustLogin(t, c)
}

func TestEnable(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC] hi", "C: a1 ENABLE CONDSTORE QRESYNC", "S: * ENABLED CONDSTORE QRESYNC", "S: a1 OK"), nil)
	for _, want := range [][]string{{"CONDSTORE", "QRESYNC"}, nil} { // once is enough
		on, err := c.Enable(t.Context(), "condstore", "qresync", "UTF8=ACCEPT")
		if err != nil || !slices.Equal(on, want) {
			t.Errorf("Enable = %q, %v, want %q", on, err, want)
		}
	}
	c = play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1 ENABLE QRESYNC] hi", "C: a1 ENABLE QRESYNC", "S: a1 OK"), nil)
	if on, err := c.Enable(t.Context(), "QRESYNC"); err != nil || len(on) != 1 { // QUIRK: iCloud
		t.Errorf("Enable = %q, %v", on, err)
	}
	if _, err := c.Enable(t.Context(), "a b"); err == nil {
		t.Error("what is no capability is accepted")
	}
}

// Lines that are no responses are passed over.
func TestJunk(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1] hi", "C: a1 NOOP", "S: CAPABILITY completed.", "S: ", "S64: AAAqIDMgRVhJU1RTDQo=", "S: a1 OK",
		"C: a2 NOOP", "S: Server Unavailable. 15", "= CLOSE"), nil)
	if _, err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrUnavailable) || !strings.Contains(err.Error(), "Server Unavailable. 15") {
		t.Errorf("%v, want ErrUnavailable and what the server said", err)
	}
}

// What servers say in their own ways.
func TestServersWords(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi", "C: a1 NOOP", "S: a1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
		"C: a2 NOOP", "S: a2 BAD User is authenticated but not connected.", "C: a3 EXAMINE INBOX", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 1] v", "S: a3 OK",
		"C: a4 IDLE", "S: a4 + idling", "C: DONE", "S: a4 OK"), nil)
	_, err := c.Noop(t.Context())
	var e *imapclient.Error
	if !errors.As(err, &e) || e.RetryAfter != 92415*time.Millisecond || !errors.Is(err, imapclient.ErrUnavailable) {
		t.Errorf("throttled: %v", err)
	}
	if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrAuth) {
		t.Errorf("not connected: %v, want ErrAuth", err)
	}
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Idle(t.Context(), time.Millisecond); err != nil {
		t.Errorf("Idle: %v", err)
	}
}

// What has been turned on may be told in several responses.
func TestEnabledTwice(t *testing.T) {
	c := authed(t, "ENABLE QRESYNC CONDSTORE", lines("C: a1 ENABLE QRESYNC CONDSTORE", "S: * ENABLED QRESYNC", "S: * ENABLED CONDSTORE", "S: a1 OK"))
	on, err := c.Enable(t.Context(), "QRESYNC", "CONDSTORE")
	if err != nil || fmt.Sprint(on) != "[QRESYNC CONDSTORE]" {
		t.Errorf("%v, %v", on, err)
	}
}
