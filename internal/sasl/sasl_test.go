package sasl_test

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/sasl"
	"example.com/postbag/internal/testca"
	"example.com/postbag/internal/transport"
)

func choose(t *testing.T, offered string, c *sasl.Credentials) []sasl.Mechanism {
	t.Helper()
	list, err := sasl.Choose(strings.Fields(offered), c)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// state is that of a client's TLS connection.
func state(t *testing.T, version uint16) *tls.ConnectionState {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go tls.Server(b, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version}).Handshake()
	c := tls.Client(a, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	st := c.ConnectionState()
	return &st
}

func TestChoose(t *testing.T) {
	const all = "plain LOGIN CRAM-MD5 DIGEST-MD5 NTLM GSSAPI EXTERNAL ANONYMOUS SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS XOAUTH2 OAUTHBEARER"
	secure := state(t, tls.VersionTLS13)
	for _, tt := range []struct {
		name, offered string
		c             sasl.Credentials
		want          string
	}{
		{"all, TLS", all, sasl.Credentials{Password: "x", TLS: secure}, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5"},
		{"all, no TLS", all, sasl.Credentials{Password: "x"}, "SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN"},
		{"SHA-1 alone", "SCRAM-SHA-1 PLAIN", sasl.Credentials{Password: "x", TLS: secure}, "SCRAM-SHA-1 PLAIN"},
		{"token", all, sasl.Credentials{Token: "x", TLS: secure}, "OAUTHBEARER XOAUTH2"},
		{"nothing to show", all, sasl.Credentials{User: "joe"}, ""},
		{"nothing offered", "", sasl.Credentials{Password: "x"}, ""},
		{"by name", "PLAIN", sasl.Credentials{Password: "x", Mechanisms: []string{"login", "CRAM-MD5"}}, "LOGIN CRAM-MD5"},
		{"external", all, sasl.Credentials{Mechanisms: []string{"EXTERNAL"}}, "EXTERNAL"},
		{"anonymous", all, sasl.Credentials{Mechanisms: []string{"ANONYMOUS"}}, "ANONYMOUS"},
	} {
		var got []string
		for _, m := range choose(t, tt.offered, &tt.c) {
			got = append(got, m.Name())
		}
		if !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s: %q, want %s", tt.name, got, tt.want)
		}
	}
	for _, c := range []sasl.Credentials{
		{Password: "x", Mechanisms: []string{"GSSAPI"}},
		{Password: "x", Mechanisms: []string{"SCRAM-SHA-512"}},
		{Password: "x", Mechanisms: []string{"SCRAM-SHA-1-PLUS"}}, // without TLS
		{Password: "x", Mechanisms: []string{"XOAUTH2"}},
		{Token: "x", Mechanisms: []string{"PLAIN"}},
	} {
		if list, err := sasl.Choose(nil, &c); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%q: %v, %v, want ErrUnsupported", c.Mechanisms, list, err)
		}
	}
	for _, c := range []sasl.Credentials{
		{User: "joe\n", Password: "x"}, {User: "joe", Password: "secret\x00"}, {Token: "secret\r"},
		{Token: "secret secret"}, {Token: "secret\x01"}, {User: "joe\x01auth", Token: "x"}, {Identity: "joe\x00"},
	} {
		if _, err := sasl.Choose([]string{"PLAIN"}, &c); err == nil || strings.Contains(err.Error(), "joe") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, want an error that does not show it", c, err)
		}
	}
}

// exchange is what the server and the client say: "S ..." and "C ...", in
// which <TAG> stands for the octet with that value.
func exchange(t *testing.T, m sasl.Mechanism, script ...string) {
	t.Helper()
	unescape := strings.NewReplacer("<00>", "\x00", "<01>", "\x01").Replace
	got, err := m.Start()
	for i, line := range script {
		who, text := line[0], unescape(line[2:])
		if err != nil {
			t.Fatalf("%s: %v before %q", m.Name(), err, line)
		}
		switch who {
		case 'C':
			if string(got) != text {
				t.Fatalf("%s: line %d: the client says %q, want %q", m.Name(), i, got, text)
			}
		case 'S':
			got, err = m.Next([]byte(text))
		}
	}
}

func TestMechanisms(t *testing.T) {
	joe := func(name string) *sasl.Credentials {
		return &sasl.Credentials{User: "joe", Password: "secret", Token: "token", Mechanisms: []string{name}}
	}
	for _, tt := range []struct {
		name   string
		script []string
	}{
		{"PLAIN", []string{"C <00>joe<00>secret"}},
		{"LOGIN", []string{"C ", "S Username:", "C joe", "S Password:", "C secret"}},
		{"LOGIN", []string{"S User Name<00>", "C joe", "S ", "C secret"}},
		{"XOAUTH2", []string{"C user=joe<01>auth=Bearer token<01><01>", `S {"status":"401"}`, "C "}},
		{"OAUTHBEARER", []string{"C n,a=joe,<01>auth=Bearer token<01><01>", `S {"status":"invalid_token"}`, "C <01>"}},
		{"EXTERNAL", []string{"C "}},
		{"ANONYMOUS", []string{"C "}},
	} {
		m := choose(t, "", joe(tt.name))[0]
		exchange(t, m, tt.script...)
	}
	// RFC 2195 section 2.
	m := choose(t, "", &sasl.Credentials{User: "tim", Password: "tanstaaftanstaaf", Mechanisms: []string{"CRAM-MD5"}})[0]
	exchange(t, m, "S <1896.697170952@postoffice.reston.mci.net>", "C tim b913a602c7eda7a495b4e6e7334d3890")
	if err := m.Done(); err != nil {
		t.Error(err)
	}
	// RFC 7628 section 4.1, and what separates the parts in a user's name.
	m = choose(t, "", &sasl.Credentials{User: "user@example.com", Token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", Host: "server.example.com", Port: 143, Mechanisms: []string{"OAUTHBEARER"}})[0]
	exchange(t, m, "C n,a=user@example.com,<01>host=server.example.com<01>port=143<01>auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==<01><01>")
	m = choose(t, "", &sasl.Credentials{User: "a=b,c", Token: "t", Mechanisms: []string{"OAUTHBEARER"}})[0]
	exchange(t, m, "C n,a=a=3Db=2Cc,<01>auth=Bearer t<01><01>")
	// RFC 4616 section 4.
	m = choose(t, "", &sasl.Credentials{Identity: "Ursel", User: "Kurt", Password: "xipj3plmq", Mechanisms: []string{"PLAIN"}})[0]
	exchange(t, m, "C Ursel<00>Kurt<00>xipj3plmq")
}

// Success that comes before the credentials is no success.
func TestEarlySuccess(t *testing.T) {
	for _, name := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256", "EXTERNAL"} {
		c := &sasl.Credentials{User: "joe", Password: "secret", Token: "token", Mechanisms: []string{name}}
		if err := choose(t, "", c)[0].Done(); !errors.Is(err, transport.ErrProtocol) {
			t.Errorf("%s: Done = %v, want ErrProtocol", name, err)
		}
	}
}

func TestOutOfPlace(t *testing.T) {
	for _, tt := range []struct {
		name       string
		challenges []string
	}{
		{"PLAIN", []string{"more"}},
		{"LOGIN", []string{"user", "password", "and the PIN"}},
		{"CRAM-MD5", []string{"<a@b>", "<a@b>"}},
		{"CRAM-MD5", []string{""}},
		{"XOAUTH2", []string{"{}", "{}"}},
	} {
		m := choose(t, "", &sasl.Credentials{User: "joe", Password: "secret", Token: "token", Mechanisms: []string{tt.name}})[0]
		m.Start()
		var err error
		for _, c := range tt.challenges {
			_, err = m.Next([]byte(c))
		}
		if err == nil {
			t.Errorf("%s: the challenges %q are answered", tt.name, tt.challenges)
		}
	}
}

func TestOAuthError(t *testing.T) {
	for _, name := range []string{"XOAUTH2", "OAUTHBEARER"} {
		for _, tt := range []struct{ json, status, scope string }{
			{`{"status":"invalid_token","scope":"mail","schemes":"bearer"}`, "invalid_token", "mail"},
			{`{"status":401}`, "401", ""},
			{`not JSON`, "", ""},
			{`[]`, "", ""},
			{`{"status":"ya29.x","scope":"ya29.x!"}`, "***", "***!"}, // it ends in an error
		} {
			m := choose(t, "", &sasl.Credentials{User: "joe", Token: "ya29.x", Mechanisms: []string{name}})[0]
			m.Start()
			if _, err := m.Next([]byte(tt.json)); err != nil {
				t.Errorf("%s: %s: %v", name, tt.json, err)
			}
			final, err := m.Refused()
			var e *sasl.OAuthError
			if !final || !errors.As(err, &e) || e.Status != tt.status || e.Scope != tt.scope || e.JSON != strings.ReplaceAll(tt.json, "ya29.x", "***") {
				t.Errorf("%s: %s: %v, %+v", name, tt.json, final, err)
			}
			if err := m.Done(); err == nil {
				t.Errorf("%s: success after an error is taken for success", name)
			}
		}
	}
}

func TestRandomNonce(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		m := choose(t, "", &sasl.Credentials{User: "joe", Password: "x", Mechanisms: []string{"SCRAM-SHA-1"}})[0]
		first, err := m.Start()
		if err != nil || seen[string(first)] || len(first) != len("n,,n=joe,r=")+24 {
			t.Fatalf("%q, %v", first, err)
		}
		seen[string(first)] = true
	}
}
