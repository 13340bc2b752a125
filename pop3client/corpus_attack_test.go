package pop3client_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	recorded "example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
	"example.com/postbag/pop3client"
)

// attack is a server, or someone on the way to it, that tampers with STLS: the
// scripts that Poddebniak and others tested mail clients with ("Why TLS is
// better without STARTTLS", USENIX Security 2021).
type attack struct {
	greeting      string
	capa, capaTLS []string
	stls          string            // "" for an honest answer
	override      map[string]string // answers by command, in lower case
	transition    bool              // to TLS, after STLS
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// texts returns the strings in a piece of a script, unescaped.
func texts(s string) (list []string) {
	for _, q := range quoted.FindAllString(s, -1) {
		if s, err := strconv.Unquote(q); err == nil {
			list = append(list, s)
		}
	}
	return list
}

// readAttacks reads a script; an answer to STLS that is commented out in it is
// a variant.
func readAttacks(script string) []attack {
	field := func(form string) []string {
		if m := regexp.MustCompile(form).FindStringSubmatch(script); m != nil {
			return texts(m[1])
		}
		return nil
	}
	first := func(list []string) string { return strings.Join(list[:min(len(list), 1)], "") }
	a := attack{
		greeting:   first(field(`(?m)^\s*greeting:\s*(".*")`)),
		capa:       field(`(?ms)^\s*capa:\s*\[(.*?)\]`),
		capaTLS:    field(`(?ms)^\s*capa_tls:\s*\[(.*?)\]`),
		stls:       first(field(`(?m)^\s*stls_response:\s*(".*")`)),
		override:   make(map[string]string),
		transition: !strings.Contains(script, "stls_make_transition: false"),
	}
	for i, pairs := 0, field(`(?ms)^\s*override_response:\s*\{(.*?)\}`); i+1 < len(pairs); i += 2 {
		a.override[pairs[i]] = pairs[i+1]
	}
	list := []attack{a}
	for _, m := range regexp.MustCompile(`(?m)^\s*//\s*stls_response:\s*(".*")`).FindAllStringSubmatch(script, -1) {
		v := a
		v.stls = first(texts(m[1]))
		list = append(list, v)
	}
	return list
}

// play speaks to a client and returns the lines that it sent without TLS.
func (a *attack) play(conn net.Conn, cfg *tls.Config) (plain []string) {
	io.WriteString(conn, a.greeting)
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
		verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(line)), " ")
		answer, capa := "+OK done\r\n", a.capa
		if secure {
			capa = a.capaTLS
		}
		switch {
		case a.override[verb] != "":
			answer = a.override[verb]
		case verb == "capa":
			answer = "+OK\r\n" + strings.Join(append(capa, "."), "\r\n") + "\r\n"
		case verb == "stls" && a.stls != "":
			answer = a.stls
		}
		io.WriteString(conn, answer)
		if verb == "stls" && a.transition && strings.HasPrefix(answer, "+OK") {
			t := tls.Server(conn, cfg)
			if t.Handshake() != nil {
				return plain
			}
			conn, r, secure = t, bufio.NewReader(t), true
		}
	}
}

// Whatever a server does around STLS, no credential is sent without TLS.
func TestCorpusAttacks(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "corpus", "sessions", "fake-mail-server", "pop3")
	if _, err := os.Stat(root); err != nil {
		return // the corpus is not part of the project
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
	outcomes := make(map[string]int)
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".ron" {
			return err
		}
		data, err := os.ReadFile(name)
		for _, a := range readAttacks(string(data)) {
			if a.greeting == "" {
				t.Errorf("%s: no greeting was found in it", name)
				continue
			}
			outcomes["servers"]++
			var server net.Conn
			plain := make(chan []string, 1)
			c, err := pop3client.DialStartTLS(t.Context(), "mail.example.org:110", &pop3client.Options{
				TLSConfig: &tls.Config{RootCAs: ca.Pool()},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					var client net.Conn
					client, server = recorded.Pipe()
					go func() { plain <- a.play(server, cfg) }()
					return client, nil
				},
			})
			outcome := "refused"
			if err == nil {
				if err = c.Login(t.Context(), "joe", "secret"); err == nil {
					outcome = "logged in"
				}
				c.Close()
			}
			server.Close()
			for _, line := range <-plain {
				if !regexp.MustCompile(`^(CAPA|STLS|QUIT)\r\n$`).MatchString(line) && !strings.HasPrefix(line, "\x16") {
					t.Errorf("%s: without TLS the client sends %q", name, line)
				}
			}
			outcomes[outcome]++
			t.Logf("%s: %s: %v", filepath.Base(name), outcome, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", outcomes)
}
