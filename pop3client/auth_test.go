package pop3client_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/testca"
	"example.com/postbag/pop3client"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// authTests are exchanges from the greeting's CAPA on: "C: …" and "S: …".
// After success the script goes on with CAPA, after failure with NOOP.
var authTests = []struct {
	name   string
	capa   string
	creds  pop3client.Credentials
	script string
	want   error
}{
	{"PLAIN in one line", "SASL PLAIN LOGIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: +OK`, nil},
	{"LOGIN", "SASL LOGIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH LOGIN
		S: + VXNlcm5hbWU6
		C: ` + b64("joe") + `
		S: + UGFzc3dvcmQ6
		C: ` + b64("secret") + `
		S: +OK`, nil},
	{"SASL not listed, so no room in the line", "USER", pop3client.Credentials{User: "joe", Password: "secret", Mechanisms: []string{"PLAIN"}}, `
		C: AUTH PLAIN
		S: +
		C: ` + b64("\x00joe\x00secret") + `
		S: +OK`, nil},
	{"empty response", "SASL EXTERNAL", pop3client.Credentials{Mechanisms: []string{"EXTERNAL"}}, `
		C: AUTH EXTERNAL =
		S: +OK`, nil},
	{"empty response, asked for", "", pop3client.Credentials{Mechanisms: []string{"EXTERNAL"}}, `
		C: AUTH EXTERNAL
		S: +
		C:
		S: +OK`, nil},
	{"ANONYMOUS", "SASL ANONYMOUS", pop3client.Credentials{Identity: "trace", Mechanisms: []string{"ANONYMOUS"}}, `
		C: AUTH ANONYMOUS ` + b64("trace") + `
		S: +OK`, nil},
	{"long password", "SASL PLAIN", pop3client.Credentials{User: "joe", Password: strings.Repeat("x", 200)}, `
		C: AUTH PLAIN
		S: +
		C: ` + b64("\x00joe\x00"+strings.Repeat("x", 200)) + `
		S: +OK`, nil},
	{"XOAUTH2 in two steps (Exchange Online)", "SASL PLAIN XOAUTH2", pop3client.Credentials{User: "joe", Token: "token"}, `
		C: AUTH XOAUTH2
		S: +
		C: ` + b64("user=joe\x01auth=Bearer token\x01\x01") + `
		S: +OK`, nil},
	{"OAUTHBEARER", "SASL XOAUTH2 OAUTHBEARER", pop3client.Credentials{User: "joe", Token: "token"}, `
		C: AUTH OAUTHBEARER ` + b64("n,a=joe,\x01auth=Bearer token\x01\x01") + `
		S: +OK`, nil},
	{"none offered", "USER", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: USER joe
		S: +OK
		C: PASS secret
		S: +OK`, nil},
	{"none that works: Mailutils offers CRAM-MD5 and cannot do it", "USER|SASL CRAM-MD5 GSSAPI", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH CRAM-MD5
		S: + ` + b64("<1.2@mail>") + `
		C: ` + b64("joe b198fc659002903023a10f46bb2be616") + `
		S: -ERR [AUTH] no
		C: USER joe
		S: +OK
		C: PASS secret
		S: +OK`, nil},
	{"the strongest is refused before it begins", "SASL SCRAM-SHA-256 PLAIN", pop3client.Credentials{User: "joe", Password: "secret", Mechanisms: []string{"LOGIN", "PLAIN"}}, `
		C: AUTH LOGIN
		S: -ERR not here
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: +OK`, nil},
	{"wrong password", "SASL PLAIN LOGIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: -ERR [AUTH] wrong`, pop3client.ErrAuth},
	{"server out of order", "SASL PLAIN LOGIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: -ERR [SYS/TEMP] later`, pop3client.ErrUnavailable},
	{"server out of order, whatever the mechanism", "SASL PLAIN LOGIN", pop3client.Credentials{User: "joe", Password: "secret", Mechanisms: []string{"LOGIN", "PLAIN"}}, `
		C: AUTH LOGIN
		S: -ERR [IN-USE] another session`, pop3client.ErrUnavailable},
	{"one after the other is unknown", "SASL PLAIN LOGIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: -ERR unknown command
		C: AUTH LOGIN
		S: -ERR unknown command`, errors.ErrUnsupported},
	{"bad token, OAUTHBEARER", "SASL XOAUTH2 OAUTHBEARER", pop3client.Credentials{User: "joe", Token: "token"}, `
		C: AUTH OAUTHBEARER ` + b64("n,a=joe,\x01auth=Bearer token\x01\x01") + `
		S: + ` + b64(`{"status":"invalid_token","scope":"mail"}`) + `
		C: AQ==
		S: -ERR [AUTH] no`, pop3client.ErrAuth},
	{"bad token, XOAUTH2", "SASL XOAUTH2", pop3client.Credentials{User: "joe", Token: "token"}, `
		C: AUTH XOAUTH2
		S: +
		C: ` + b64("user=joe\x01auth=Bearer token\x01\x01") + `
		S: + ` + b64(`{"status":"401"}`) + `
		C:
		S: -ERR no`, pop3client.ErrAuth},
	{"a challenge too many is cancelled", "SASL PLAIN", pop3client.Credentials{User: "joe", Password: "secret"}, `
		C: AUTH PLAIN ` + b64("\x00joe\x00secret") + `
		S: + ` + b64("more") + `
		C: *
		S: -ERR cancelled`, nil},
	{"nothing in common", "SASL GSSAPI", pop3client.Credentials{User: "joe", Token: "token"}, "", errors.ErrUnsupported},
	{"token for a server without SASL", "USER", pop3client.Credentials{User: "joe", Token: "token"}, "", errors.ErrUnsupported},
}

func TestAuth(t *testing.T) {
	for _, tt := range authTests {
		t.Run(tt.name, func(t *testing.T) {
			capa := strings.Split(tt.capa, "|")
			success := strings.HasSuffix(tt.script, "S: +OK")
			var transcript bytes.Buffer
			c, err := start(t, &pop3client.Options{Transcript: &transcript}, func(s *script) {
				s.send("+OK ready")
				s.capa(capa...)
				for line := range strings.Lines(strings.TrimSpace(tt.script)) {
					who, text, _ := strings.Cut(strings.TrimSpace(line), ":")
					if text = strings.TrimPrefix(text, " "); who == "C" {
						s.expect(text)
					} else if who == "S" {
						s.send(text)
					}
				}
				if success {
					s.capa("PIPELINING")
				}
				s.expect("NOOP")
				s.send("+OK")
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Auth(t.Context(), tt.creds)
			if (err == nil) != success || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("Auth = %v, want %v", err, tt.want)
			}
			var oauth *pop3client.OAuthError
			if errors.As(err, &oauth) != strings.HasPrefix(tt.name, "bad token") {
				t.Errorf("the server's JSON: %v", err)
			}
			if c.Pipelining() != success {
				t.Error("the capabilities from before login")
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Errorf("the session does not go on: %v", err)
			}
			for _, secret := range []string{"secret", "token", b64("\x00joe\x00secret"), b64("secret"), "Bearer", b64("user=joe\x01auth=Bearer token\x01\x01")} {
				if s := transcript.String() + fmt.Sprint(err); strings.Contains(strings.ReplaceAll(s, "invalid_token", ""), secret) {
					t.Errorf("%q is in the transcript or the error:\n%s", secret, s)
				}
			}
		})
	}
}

// F105: what a server must not get away with.
func TestAuthDistrust(t *testing.T) {
	for _, tt := range []struct {
		name, mechanism string
		send            string
	}{
		{"success before the credentials", "LOGIN", "+OK\r\n"},
		{"success before the response that it asked for", "XOAUTH2", "+OK\r\n"},
		{"SCRAM success without a proof", "SCRAM-SHA-256", "+OK\r\n"},
		{"SCRAM nonce not ours", "SCRAM-SHA-256", "+ \r\n+ " + b64("r=x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") + "\r\n"},
		{"challenge not base64", "LOGIN", "+ ***\r\n"},
		{"challenge too long", "LOGIN", "+ " + strings.Repeat("AAAA", 50_000) + "\r\n"},
		{"challenges without end", "OAUTHBEARER", strings.Repeat("+ \r\n", 50)},
		{"no reply", "LOGIN", "huh\r\n"},
		{"hang-up", "LOGIN", ""},
		{"cancelling is success", "PLAIN", "+ \r\n+ \r\n+OK\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := start(t, nil, func(s *script) {
				s.send("+OK ready")
				s.capa()
				if _, err := s.r.ReadString('\n'); err != nil {
					t.Error(err)
				}
				s.raw(tt.send)
				if tt.send != "" {
					s.r.ReadString(0) // until the client hangs up
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret", Token: "token", Mechanisms: []string{tt.mechanism}})
			if err == nil || c.Err() == nil {
				t.Errorf("Auth = %v, session %v, want both to fail", err, c.Err())
			}
			if tt.name != "hang-up" && !errors.Is(err, pop3client.ErrProtocol) {
				t.Errorf("Auth = %v, want ErrProtocol", err)
			}
		})
	}
}

// Long lines are for challenges alone.
func TestAuthLongLine(t *testing.T) {
	c, err := start(t, &pop3client.Options{MaxLine: 100}, func(s *script) {
		s.send("+OK ready")
		s.capa()
		s.expect("AUTH CRAM-MD5")
		s.send("+ " + b64("<"+strings.Repeat("x", 40_000)+"@mail>"))
		s.r.ReadString('\n')
		s.send("-ERR no")
		s.expect("NOOP")
		s.send("+OK " + strings.Repeat("x", 100))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret", Mechanisms: []string{"CRAM-MD5"}}); !errors.Is(err, pop3client.ErrAuth) {
		t.Errorf("Auth with a long challenge: %v, want ErrAuth", err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrProtocol) {
		t.Errorf("Noop with a long reply: %v, want ErrProtocol", err)
	}
}

func TestAuthBeforeAnOctet(t *testing.T) {
	conn := connect(t, func(s *script) {
		s.send("+OK ready <1.2@mail>")
		s.capa("SASL PLAIN")
		s.expectEnd()
	})
	c, err := pop3client.New(t.Context(), conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret"}); !errors.Is(err, pop3client.ErrTLS) {
		t.Errorf("Auth without TLS: %v, want ErrTLS", err)
	}
	if err := c.APOP(t.Context(), "joe", "secret"); !errors.Is(err, pop3client.ErrTLS) {
		t.Errorf("APOP without TLS: %v, want ErrTLS", err)
	}
	c.Close()

	c, err = start(t, nil, func(s *script) {
		s.send("+OK ready <1.2@mail>")
		s.capa("SASL PLAIN")
		s.expectEnd()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"joe\r\nDELE 1", "joe\x00"} {
		if err := c.Auth(t.Context(), pop3client.Credentials{User: bad, Password: "secret"}); err == nil || strings.Contains(err.Error(), "joe") {
			t.Errorf("Auth as %q: %v", bad, err)
		}
		if err := c.APOP(t.Context(), bad, "secret"); err == nil {
			t.Errorf("APOP as %q works", bad)
		}
	}
	if err := c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "x", Mechanisms: []string{"GSSAPI"}}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("GSSAPI: %v, want ErrUnsupported", err)
	}
	c.Close()
}

// SCRAM with channel binding, over TLS that ends in a server of our own.
func TestAuthSCRAM(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"New with TLS", "STLS"} {
		for _, binding := range []bool{true, false} { // whether the server's binding is this connection's
			t.Run(fmt.Sprintf("%s, binding %v", how, binding), func(t *testing.T) {
				conn := connect(t, func(s *script) {
					if how == "STLS" {
						s.send("+OK ready")
						s.capa("STLS")
						s.expect("STLS")
						s.send("+OK")
					}
					server := tls.Server(s.Conn, &tls.Config{Certificates: []tls.Certificate{cert}})
					if err := server.Handshake(); err != nil {
						t.Error(err)
						return
					}
					s.Conn = server
					s.r.Reset(server)
					if how != "STLS" {
						s.send("+OK ready")
					}
					s.capa("SASL SCRAM-SHA-256-PLUS")
					st := server.ConnectionState()
					data, err := st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
					if err != nil {
						t.Error(err)
					}
					if !binding {
						data[0]++
					}
					if s.scram("secret", "p=tls-exporter,,", data) {
						s.capa()
					}
				})
				cfg := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
				var outer net.Conn = conn
				if how != "STLS" {
					outer = tls.Client(conn, cfg)
				}
				var transcript bytes.Buffer
				c, err := pop3client.New(t.Context(), outer, &pop3client.Options{TLSConfig: cfg, Transcript: &transcript})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if how == "STLS" {
					if err := c.StartTLS(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				err = c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret"})
				if binding && err != nil || !binding && !errors.Is(err, pop3client.ErrAuth) {
					t.Errorf("Auth = %v", err)
				}
				if told := transcript.String(); binding != strings.Contains(told, "S: + ***\n") || strings.Contains(told, "S: + dj") { // v=
					t.Errorf("the server's proof is told:\n%s", told)
				}
			})
		}
	}
}

// scram is the server's side of SCRAM-SHA-256-PLUS. RFC 5802 section 3.
func (s *script) scram(password, gs2 string, binding []byte) bool {
	line, _ := s.r.ReadString('\n')
	first, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(line), "AUTH SCRAM-SHA-256-PLUS "))
	bare, ok := strings.CutPrefix(string(first), gs2)
	if err != nil || !ok {
		s.t.Errorf("the client begins with %q", line)
		return false
	}
	nonce := bare[strings.Index(bare, "r=")+2:] + "server"
	server := "r=" + nonce + ",s=c2FsdA==,i=4096"
	s.send("+ " + b64(server))

	salted, _ := pbkdf2.Key(sha256.New, password, []byte("salt"), 4096, 32)
	mac := func(key []byte, s string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return h.Sum(nil)
	}
	without := "c=" + b64(gs2+string(binding)) + ",r=" + nonce
	message := bare + "," + server + "," + without
	proof := mac(salted, "Client Key")
	stored := sha256.Sum256(proof)
	for i, b := range mac(stored[:], message) {
		proof[i] ^= b
	}
	line, _ = s.r.ReadString('\n')
	if got, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); string(got) != without+",p="+b64(string(proof)) {
		s.send("-ERR [AUTH] no")
		return false
	}
	s.send("+ " + b64("v="+b64(string(mac(mac(salted, "Server Key"), message)))))
	s.expect("")
	s.send("+OK")
	return true
}

func TestAPOP(t *testing.T) {
	for _, tt := range []struct{ greeting, digest string }{
		{"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>", "c4c9334bac560ecc979e58001b3e22fb"}, // RFC 1939 section 7
		{"+OK <1896.697170952@dbc.mtview.ca.us> ready", "c4c9334bac560ecc979e58001b3e22fb"},             // quirk 101
		{"+OK a < b <1896.697170952@dbc.mtview.ca.us> >", "c4c9334bac560ecc979e58001b3e22fb"},
		{"+OK ready", ""},
		{"+OK <no timestamp>", ""},
		{"+OK <@>", ""},
		{"+OK <a\x80@b>", ""}, // CVE-2007-1558
	} {
		c, err := start(t, nil, func(s *script) {
			s.send(tt.greeting)
			s.capa()
			if tt.digest == "" {
				s.expectEnd()
				return
			}
			s.expect("APOP mrose " + tt.digest)
			s.send("-ERR APOP is not what it was") // quirk 102
			s.expect("APOP mrose " + tt.digest)
			s.send("+OK")
			s.capa()
		})
		if err != nil {
			t.Fatal(err)
		}
		err = c.APOP(t.Context(), "mrose", "tanstaaf")
		if tt.digest == "" {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v, want ErrUnsupported", tt.greeting, err)
			}
			c.Close()
			continue
		}
		if !errors.Is(err, pop3client.ErrAuth) {
			t.Errorf("%s: refused: %v, want ErrAuth", tt.greeting, err)
		}
		if err := c.APOP(t.Context(), "mrose", "tanstaaf"); err != nil {
			t.Errorf("%s: %v", tt.greeting, err)
		}
	}
}

// A server that hangs up over the first mechanism that it refuses has said
// what is wrong, and it is not the line.
func TestAuthHangUp(t *testing.T) {
	for _, tt := range []struct {
		name, capa string
		replies    []string
	}{
		{"before the next mechanism", "SASL CRAM-MD5 PLAIN", []string{"+ " + b64("<1.2@mail>"), "-ERR [AUTH] wrong"}},
		{"before USER", "SASL CRAM-MD5", []string{"+ " + b64("<1.2@mail>"), "-ERR wrong"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := start(t, nil, func(s *script) {
				s.send("+OK ready")
				s.capa(tt.capa)
				for _, reply := range tt.replies {
					s.r.ReadString('\n')
					s.send(reply)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret"})
			if !errors.Is(err, pop3client.ErrAuth) || !errors.Is(err, pop3client.ErrUnavailable) || c.Err() == nil {
				t.Errorf("%v, want ErrAuth, and that the server has hung up", err)
			}
		})
	}
}
