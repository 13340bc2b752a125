package imapclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
)

// attack is a server, or someone on the way to it, that tampers with STARTTLS:
// the scripts that Poddebniak and others tested mail clients with ("Why TLS is
// better without STARTTLS", USENIX Security 2021).
type attack struct {
	greeting, caps, capsTLS, afterGreeting string
	startTLS, afterTLS                     string // "" for an honest answer
	login, select_                         string
	hidden                                 string // commands that are not known
	transition                             bool   // to TLS
}

// field returns what follows "name:" in a script, to the end of the line or of
// a list.
func field(script, name string) string {
	m := regexp.MustCompile(`(?m)^\s*` + name + `:\s*((?:Some\()?\[[^;]*?\]|.*?),?\s*$`).FindStringSubmatch(script)
	if m == nil {
		return ""
	}
	return m[1]
}

// text returns a string of a script, unescaped.
func text(s string) string {
	m := regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`).FindString(s)
	s, _ = strconv.Unquote(m)
	return s
}

var capabilityForm = regexp.MustCompile(`Atom\("([^"]*)"\)|Auth\((\w+)\)|(\w+)`)

// capabilities returns a list of a script as it is on the wire.
func capabilities(list string) string {
	list = regexp.MustCompile(`Auth\(Other\(AuthMechanismOther\(Atom\("([^"]*)"\)\)\)\)`).ReplaceAllString(list, `Atom("AUTH=$1")`)
	list = strings.NewReplacer("Other(CapabilityOther(inner: ", "", "Compress(algorithm: Deflate)", `Atom("COMPRESS=DEFLATE")`, "Some(Capability(NonEmptyVec(", "").Replace(list)
	names := map[string]string{"Imap4Rev1": "IMAP4rev1", "StartTls": "STARTTLS", "LoginDisabled": "LOGINDISABLED", "LoginReferrals": "LOGIN-REFERRALS", "MailboxReferrals": "MAILBOX-REFERRALS"}
	var caps []string
	for _, m := range capabilityForm.FindAllStringSubmatch(list, -1) {
		switch {
		case m[1] != "":
			caps = append(caps, m[1])
		case m[2] != "":
			caps = append(caps, "AUTH="+strings.ToUpper(m[2]))
		case names[m[3]] != "":
			caps = append(caps, names[m[3]])
		}
	}
	return strings.Join(caps, " ")
}

// readAttacks reads a script; what is commented out in it are variants.
func readAttacks(script string) []attack {
	a := attack{caps: capabilities(field(script, "caps")), capsTLS: capabilities(field(script, "caps_tls")), hidden: field(script, "hide_commands"), transition: field(script, "starttls_transition") != "false",
		afterGreeting: text(field(script, "response_after_greeting")), startTLS: text(field(script, "starttls_response"))}
	code := capabilities(field(script, "code"))
	if code != "" {
		code = "[CAPABILITY " + code + "] "
	}
	a.greeting = "* " + strings.ToUpper(field(script, "kind")) + " " + code + "ready\r\n"
	if override := regexp.MustCompile(`"greeting": (".*")`).FindStringSubmatch(script); override != nil {
		a.greeting = text(override[1])
	}
	list := []attack{a}
	for _, m := range regexp.MustCompile(`(?m)^\s*//\s*starttls_response: (.*)$`).FindAllStringSubmatch(script, -1) {
		v := a
		v.startTLS = text(m[1])
		if after := regexp.MustCompile(`(?m)^\s*//\s*response_after_tls: (.*)$`).FindStringSubmatch(script); after != nil && !strings.Contains(v.startTLS, "* OK") {
			v.afterTLS = text(after[1])
		}
		list = append(list, v)
	}
	if m := regexp.MustCompile(`code: Some\(Referral\("(.*)"\)\)`).FindStringSubmatch(script); m != nil {
		v := a
		no := "<tag> NO [REFERRAL " + m[1] + "] try another server\r\n"
		if strings.Contains(script, "override_select") {
			v.select_ = no
		} else {
			v.login = no
		}
		list = append(list, v)
	}
	return list
}

// play speaks to a client and returns the lines that it sent without TLS.
func (a *attack) play(conn net.Conn, cfg *tls.Config) (plain []string) {
	io.WriteString(conn, a.greeting+a.afterGreeting)
	r := bufio.NewReader(conn)
	secure := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return plain
		}
		if !secure {
			plain = append(plain, line)
		}
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		verb, _, _ := strings.Cut(command, " ")
		answer := "<tag> OK done\r\n"
		switch {
		case !secure && strings.Contains(a.hidden, strings.ToLower(verb)):
			answer = "<tag> BAD unknown command\r\n"
		case verb == "CAPABILITY" && secure:
			answer = "* CAPABILITY " + a.capsTLS + "\r\n" + answer
		case verb == "CAPABILITY":
			answer = "* CAPABILITY " + a.caps + "\r\n" + answer
		case (verb == "LOGIN" || verb == "AUTHENTICATE") && a.login != "":
			answer = a.login
		case (verb == "SELECT" || verb == "EXAMINE") && a.select_ != "":
			answer = a.select_
		case verb == "STARTTLS" && a.startTLS != "":
			answer = a.startTLS
		}
		io.WriteString(conn, strings.ReplaceAll(answer, "<tag>", tag))
		if verb == "STARTTLS" && a.transition && strings.Contains(answer, "<tag> OK") {
			t := tls.Server(conn, cfg)
			if t.Handshake() != nil {
				return plain
			}
			conn, r, secure = t, bufio.NewReader(t), true
			io.WriteString(conn, a.afterTLS)
		}
	}
}

// Whatever a server does around STARTTLS, no credential is sent without TLS,
// and nothing that was said without it is believed.
func TestCorpusAttacks(t *testing.T) {
	if !haveCorpus(t) {
		return
	}
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "mail.example.org")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	var tb table
	corpus(t, "fake-mail-server/imap", func(name string, data []byte) {
		if path.Ext(name) != ".ron" {
			return
		}
		for _, a := range readAttacks(string(data)) {
			dir := path.Base(path.Dir(name))
			tb.count(dir, "servers")
			var server net.Conn
			plain := make(chan []string, 1)
			dials := 0
			c, err := imapclient.DialStartTLS(t.Context(), "mail.example.org:143", &imapclient.Options{
				TLSConfig: &tls.Config{RootCAs: ca.Pool()},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					dials++
					var client net.Conn
					client, server = session.Pipe()
					go func() { plain <- a.play(server, cfg) }()
					return client, nil
				},
			})
			column := "refused"
			if err == nil {
				column = "logged in"
				if _, secure := c.TLS(); !secure {
					t.Errorf("%s: there is no TLS", name)
				}
				if list, _ := c.Mailboxes(t.Context(), ""); len(list) > 0 {
					t.Errorf("%s: a mailbox was injected: %v", name, list)
				}
				if err = c.Login(t.Context(), "joe", "secret pass"); err == nil {
					if list, err := c.Mailboxes(t.Context(), ""); len(list) > 0 {
						t.Errorf("%s: a mailbox was injected: %v, %v", name, list, err)
					}
					if _, err := c.Select(t.Context(), "INBOX"); (err != nil) != (a.select_ != "") {
						t.Errorf("%s: Select = %v", name, err)
					}
				} else if column = "no login"; a.login == "" && strings.Contains(a.capsTLS, "IMAP4") {
					t.Errorf("%s: Login = %v", name, err)
				}
				c.Close()
			} else if !errors.Is(err, imapclient.ErrTLS) && !errors.Is(err, imapclient.ErrProtocol) && !errors.Is(err, imapclient.ErrUnavailable) && !strings.Contains(err.Error(), "BAD") {
				t.Errorf("%s: %v", name, err)
			}
			server.Close()
			for _, line := range <-plain {
				if !regexp.MustCompile(`^\w+ (CAPABILITY|STARTTLS|LOGOUT)\r\n$`).MatchString(line) && !strings.HasPrefix(line, "\x16") {
					t.Errorf("%s: without TLS the client sends %q", name, line)
				}
			}
			if dials != 1 {
				t.Errorf("%s: the client connects %d times", name, dials)
			}
			tb.count(dir, column)
			t.Logf("%s: %s: %v", name, column, err)
		}
	})
	tb.log(t, "servers", "refused", "logged in", "no login")
}
