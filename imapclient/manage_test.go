package imapclient_test

import (
	"errors"
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

func TestCreateMailbox(t *testing.T) {
	c := authed(t, "CREATE-SPECIAL-USE OBJECTID", lines(`C: a1 CREATE "a/b"`, "S: a1 OK [MAILBOXID (F2212ea8)] done",
		`C: a2 CREATE "Sent" (USE (\Sent \Archive))`, "S: a2 OK done", `C: a3 CREATE "Sent"`, "S: a3 NO [ALREADYEXISTS] it is there"))
	id, err := c.CreateMailbox(t.Context(), "a/b")
	if err != nil || id != "F2212ea8" {
		t.Errorf("CreateMailbox = %q, %v", id, err)
	}
	id, err = c.CreateMailbox(t.Context(), "Sent", `\Sent`, `\Archive`)
	if err != nil || id != "" {
		t.Errorf("CreateMailbox = %q, %v", id, err)
	}
	_, err = c.CreateMailbox(t.Context(), "Sent")
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Code != "ALREADYEXISTS" || e.Command != "CREATE" {
		t.Errorf("CreateMailbox = %v", err)
	}
}

// What cannot be asked for is refused, and nothing is written.
func TestCreateMailboxUnsupported(t *testing.T) {
	c := authed(t, "", "")
	before := c.Stats().Out
	_, err := c.CreateMailbox(t.Context(), "Sent", `\Sent`)
	wants(t, "CreateMailbox", err, errors.ErrUnsupported)
	for _, use := range []string{"", "Sent", `\Sent) (x`, `\*`, "\\a\r\nb"} {
		if _, err := c.CreateMailbox(t.Context(), "Sent", use); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("the use %q: %v", use, err)
		}
	}
	_, err = c.Namespaces(t.Context())
	wants(t, "Namespaces", err, errors.ErrUnsupported)
	_, err = c.Quota(t.Context(), "INBOX")
	wants(t, "Quota", err, errors.ErrUnsupported)
	if c.Stats().Out != before {
		t.Error("something was written")
	}
}

func TestUnselect(t *testing.T) {
	c := selected(t, "UNSELECT", lines("C: a1 UNSELECT", "S: a1 OK"))
	wants(t, "Unselect", c.Unselect(t.Context()), nil)
	if err := c.Unselect(t.Context()); err == nil {
		t.Error("a second Unselect is no error")
	}
}

func TestNamespaces(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"one", `(("" "/")) NIL NIL`, `&{[{ /}] [] []}`},
		{"all", `(("INBOX." ".")("&ZeVnLA-." ".")) (("~" "/" "X-PARAM" ("FLAG1" "FLAG2"))) (("#shared/" "/") ("#public/" NIL))`,
			`&{[{INBOX. .} {日本. .}] [{~ /}] [{#shared/ /} {#public/ }]}`},
		{"none", `nil NIL NIL`, `&{[] [] []}`},
		{"left out", `(("" "/"))`, `&{[{ /}] [] []}`},
	} {
		c := authed(t, "NAMESPACE", lines("C: a1 NAMESPACE", "S: * NAMESPACE "+tt.answer, "S: a1 OK"))
		if n, err := c.Namespaces(t.Context()); err != nil || fmt.Sprint(n) != tt.want {
			t.Errorf("%s: %v, %v, want %s", tt.name, n, err, tt.want)
		}
	}
	for _, answer := range []string{"", `((("a" "/"))) NIL NIL`, `(("" "/") NIL NIL`, `x NIL NIL`} {
		c := authed(t, "NAMESPACE", lines("C: a1 NAMESPACE", "S: * NAMESPACE "+answer, "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
		if n, err := c.Namespaces(t.Context()); err == nil {
			t.Errorf("%s: %v", answer, n)
		}
		_, err := c.Noop(t.Context())
		wants(t, "Noop", err, nil)
	}
}

func TestQuota(t *testing.T) {
	c := authed(t, "QUOTA", lines("C: a1 GETQUOTAROOT INBOX", `S: * QUOTAROOT INBOX "" "a b"`, `S: * QUOTA "" (STORAGE 10 18446744073709551615 message 3 100)`,
		`S: * QUOTA "x" (STORAGE -1 5)`, `S: * QUOTA "a b" ()`, `S: * QUOTA "ROOT"`, "S: a1 OK"))
	q, err := c.Quota(t.Context(), "INBOX")
	if want := "[{ [{STORAGE 10 18446744073709551615} {MESSAGE 3 100}]} {a b []} {ROOT []}]"; err != nil || fmt.Sprint(q) != want {
		t.Errorf("Quota = %v, %v, want %s", q, err, want)
	}
}

func TestSetQuota(t *testing.T) {
	for _, tt := range []struct {
		name, extensions, root string
		limits                 map[string]uint64
		script                 []string
		want                   string
		err                    error
	}{
		{"limits", "QUOTA QUOTASET QUOTA=STORAGE", "#user/joe", map[string]uint64{"STORAGE": 512, "MESSAGE": 7},
			[]string{`C: a1 SETQUOTA "#user/joe" (MESSAGE 7 STORAGE 512)`, `S: * QUOTA "other" (STORAGE 1 2)`, `S: * QUOTA "#user/joe" (STORAGE 58 512 MESSAGE 1 8)`, "S: a1 OK"},
			"{#user/joe [{STORAGE 58 512} {MESSAGE 1 8}]}", nil},
		{"no limits, of a server that says nothing", "QUOTA", "", nil, []string{`C: a1 SETQUOTA "" ()`, "S: a1 OK"}, "{ []}", nil},
		{"a root that is not ASCII", "QUOTA QUOTASET", "ü", nil, []string{"C: a1 SETQUOTA {2}", "S: + go", "C: ü ()", "S: a1 OK"}, "{ü []}", nil},
		{"refused", "QUOTA QUOTASET", "", nil, []string{`C: a1 SETQUOTA "" ()`, "S: a1 NO [NOPERM] you are nobody"}, "{ []}", new(imapclient.Error)},
		{"no QUOTA", "QUOTASET", "", nil, nil, "{ []}", errors.ErrUnsupported},
		{"no QUOTASET", "QUOTA QUOTA=STORAGE", "", nil, nil, "{ []}", errors.ErrUnsupported},
		{"a resource that is none", "QUOTA", "", map[string]uint64{"a)": 1}, nil, "{ []}", errors.New("any")},
		{"a resource with CR LF", "QUOTA", "", map[string]uint64{"a\r\nb": 1}, nil, "{ []}", errors.New("any")},
		{"a limit beyond all", "QUOTA", "", map[string]uint64{"STORAGE": 1 << 63}, nil, "{ []}", errors.New("any")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, tt.extensions, lines(append(tt.script, "C: b1 NOOP", "S: b1 OK")...))
			q, err := c.SetQuota(t.Context(), tt.root, tt.limits)
			if fmt.Sprint(q) != tt.want || (err == nil) != (tt.err == nil) || tt.err == errors.ErrUnsupported && !errors.Is(err, tt.err) {
				t.Errorf("SetQuota = %v, %v, want %s, %v", q, err, tt.want, tt.err)
			}
			if e := (*imapclient.Error)(nil); len(tt.script) > 0 && err != nil && (!errors.As(err, &e) || e.Code != "NOPERM") {
				t.Errorf("SetQuota = %v, want NOPERM", err)
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

// A mailbox tells its ID when it is opened.
func TestMailboxID(t *testing.T) {
	c := authed(t, "OBJECTID", lines("C: a1 SELECT INBOX", "S: * 1 EXISTS", "S: * OK [MAILBOXID (F1-x)] Ok", "S: a1 OK",
		"C: a2 SELECT INBOX", "S: * 1 EXISTS", "S: * OK [MAILBOXID (\x01)] Ok", "S: a2 OK"))
	for _, want := range []string{"F1-x", ""} {
		if box, err := c.Select(t.Context(), "INBOX"); err != nil || box.ID != want {
			t.Errorf("Select = %+v, %v, want the ID %q", box, err, want)
		}
	}
}
