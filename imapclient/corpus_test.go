package imapclient_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// recordings are sessions that nobody here made.
var recordings = filepath.Join("..", "..", "shared", "corpus", "sessions")

// haveCorpus tells whether they are beside the module.
func haveCorpus(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat(recordings)
	if err != nil {
		t.Logf("no corpus in %s: nothing was tested", recordings)
	}
	return err == nil
}

// corpus calls f with each file of recordings under dir.
func corpus(t *testing.T, dir string, f func(name string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(recordings, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			name, _ := filepath.Rel(recordings, path)
			f(filepath.ToSlash(name), data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// table is the result of a test, a row a kind.
type table struct {
	rows map[string]map[string]int
}

func (tb *table) count(row, column string) {
	if tb.rows == nil {
		tb.rows = make(map[string]map[string]int)
	}
	if tb.rows[row] == nil {
		tb.rows[row] = make(map[string]int)
	}
	tb.rows[row][column]++
}

func (tb *table) log(t *testing.T, columns ...string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-28s", "")
	for _, c := range columns {
		fmt.Fprintf(&b, " %11s", c)
	}
	sum := make(map[string]int)
	for _, row := range slices.Sorted(maps.Keys(tb.rows)) {
		fmt.Fprintf(&b, "\n%-28s", row)
		for _, c := range columns {
			fmt.Fprintf(&b, " %11d", tb.rows[row][c])
			sum[c] += tb.rows[row][c]
		}
	}
	fmt.Fprintf(&b, "\n%-28s", "all")
	for _, c := range columns {
		fmt.Fprintf(&b, " %11d", sum[c])
	}
	t.Log(b.String())
}

func octetsOf(s string) octets { return octets{strings.NewReader(s)} }

// blocks returns the responses that are in a file of single ones.
func blocks(data []byte) [][]byte {
	var list [][]byte
	for block := range strings.SplitSeq(string(data), "\n# --- line ") {
		head, body, _ := strings.Cut(block, "\n")
		if strings.HasPrefix(head, "# ") {
			continue
		}
		var octets []byte
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
			if text, ok := strings.CutPrefix(line, "S: "); ok {
				octets = append(octets, text+"\r\n"...)
			} else if text, ok := strings.CutPrefix(line, "S64: "); ok {
				raw, _ := base64.StdEncoding.DecodeString(text)
				octets = append(octets, raw...)
			}
		}
		if strings.Contains(head, "[fragment]") {
			octets = fmt.Appendf(nil, "* 1 FETCH (UID 1 BODYSTRUCTURE %s)\r\n", bytes.TrimRight(octets, "\r\n"))
		}
		list = append(list, octets)
	}
	return list
}

// allowed tells whether octets are untagged responses as RFC 9051 section 9
// has them, by their outer form, and none that ends a session.
func allowed(octets []byte) bool {
	for len(octets) > 0 {
		rest, ok := oneAllowed(octets)
		if !ok {
			return false
		}
		octets = rest
	}
	return true
}

var (
	untaggedForm = regexp.MustCompile(`(?i)^\* (?:[1-9][0-9]* [a-z]+|[a-z][a-z0-9-]*)[ \r]`)
	statusForm   = regexp.MustCompile(`(?i)^\* (?:OK|NO|BAD|PREAUTH) `)
	byeForm      = regexp.MustCompile(`(?i)^\* BYE[ \r]`)
	literalForm  = regexp.MustCompile(`^\{([0-9]{1,9})\+?\}\r\n`)
)

// oneAllowed passes over one response.
func oneAllowed(b []byte) (rest []byte, ok bool) {
	if !untaggedForm.Match(b) || byeForm.Match(b) {
		return nil, false
	}
	depth, quoted := 0, false
	text := statusForm.Match(b)
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '\r' && !quoted && i+1 < len(b) && b[i+1] == '\n':
			return b[i+2:], depth == 0
		case ch == '\r' || ch == '\n' || ch == 0:
			return nil, false
		case text:
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '(':
			depth++
		case ch == ')':
			depth--
		case ch == '{':
			if m := literalForm.FindSubmatch(b[i:]); m != nil {
				n, _ := strconv.Atoi(string(m[1]))
				if i += len(m[0]) + n - 1; i >= len(b) {
					return nil, false
				}
			}
		}
	}
	return nil, false
}

// Each single response comes in answer to each kind of command: no panic, no
// hang, and behind one that is allowed the session goes on.
func TestCorpusResponses(t *testing.T) {
	if !haveCorpus(t) {
		return
	}
	var tb table
	commands := map[string]func(*imapclient.Client){
		"Noop":      func(c *imapclient.Client) { c.Noop(t.Context()) },
		"Mailboxes": func(c *imapclient.Client) { c.Mailboxes(t.Context(), "") },
		"Examine":   func(c *imapclient.Client) { c.Examine(t.Context(), "INBOX") },
		"Fetch": func(c *imapclient.Client) {
			for range c.Fetch(t.Context(), imapclient.All(), imapclient.Items{Flags: true, Size: true, Received: true, Envelope: true, Structure: true, Fields: []string{"References"}}) {
			}
		},
		"Bodies": func(c *imapclient.Client) {
			for m, err := range c.Bodies(t.Context(), 1, 2, 3, 4, 5) {
				if err == nil {
					m.WriteTo(bytes.NewBuffer(nil))
				}
			}
		},
		"Part": func(c *imapclient.Client) { readPart(t, c, "1", &imapclient.PartOptions{Encoding: "7bit"}) },
	}
	corpus(t, "harvested", func(name string, data []byte) {
		for _, block := range blocks(data) {
			for command, run := range commands {
				start := time.Now()
				script := "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nT1 OK\r\n" + string(block)
				if command == "Mailboxes" || command == "Examine" {
					script += "T2 OK\r\n"
				}
				for n := range 50 {
					script += fmt.Sprintf("A%d OK\r\n", n+1)
				}
				c, err := imapclient.New(t.Context(), octetsOf(script), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Select(t.Context(), "INBOX"); err != nil {
					t.Fatal(err)
				}
				run(c)
				_, err = c.Noop(t.Context())
				c.Close()
				switch {
				case time.Since(start) > 5*time.Second:
					t.Errorf("%s: %s takes %v with %.200q", name, command, time.Since(start), block)
				case err == nil:
					tb.count(command, map[bool]string{true: "allowed", false: "odd"}[allowed(block)])
				case allowed(block):
					tb.count(command, "WRONG")
					t.Errorf("%s: after %s, %v, with %.500q", name, command, err, block)
				default:
					tb.count(command, "over")
				}
			}
		}
	})
	tb.log(t, "allowed", "odd", "over", "WRONG")
}
