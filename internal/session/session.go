// Package session reads, plays and makes recorded mail sessions.
//
// A session is a text file that reads like the examples in the RFCs:
//
//	# Dovecot 2.3, LOGIN with a wrong password
//	S: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready.
//	C: a1 LOGIN "joe" ***
//	~ 2s
//	S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
//	C: a2 LOGOUT
//	S: * BYE Logging out
//	S: a2 OK Logout completed.
//
// Lines end in LF. Each begins with what it is:
//
//	S: text     the server sends the text and CRLF
//	C: text     the client sends a line like this one, with CRLF
//	S64: b64    the server sends just these octets; for lines that do not end in
//	C64: b64    CRLF or that hold a bare LF. Likewise the client.
//	S*: n       the server sends n octets that were left out; made-up ones do
//	C*:         the client sends any line
//	C*: n       the client sends n octets, whichever
//	~ 29m       so much time goes by
//	= TLS       both sides begin TLS
//	= COMPRESS  both sides begin to compress, by DEFLATE (RFC 4978)
//	= CLOSE     the server hangs up
//	= CONNECT   the client connects once more; what follows is on that connection
//	# text      a remark
//
// A line of the client need not be the same to the letter. "…" and "***" stand
// for anything. Words within parentheses, and the commands' case, may come in
// any order and case. The tags of IMAP are bound, not guessed: whatever tag the
// client gives its command, the server answers with.
package session

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Session is a recorded session.
type Session struct {
	Name  string // of the file
	Conns []Conn // in the order in which the client makes them
}

// Conn is one connection of a session.
type Conn struct {
	Steps []Step
	imap  bool
}

// Step is one line of a session.
type Step struct {
	Line int // in the file
	Kind Kind
	Data []byte        // Server, Client: the octets, with their end
	N    int64         // AnyOctets: how many
	Wait time.Duration // Pause

	tag string // IMAP: the recorded tag that Data begins with, if it does
}

// Kind is what a step is.
type Kind int

// The kinds of a step.
const (
	Server Kind = iota + 1
	Client
	AnyLine   // of the client
	AnyOctets // of the client
	Pause
	TLS
	Compress
	Close
)

// MaxOmitted is the most that one "S*:" may stand for.
const MaxOmitted = 1 << 30

// ParseFile reads the session in a file.
func ParseFile(name string) (*Session, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Parse reads a session. An error names the line.
func Parse(name string, data []byte) (*Session, error) {
	s := &Session{Name: name, Conns: []Conn{{}}}
	for i, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if err := s.add(i+1, text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	for i := range s.Conns {
		if err := s.Conns[i].prepare(); err != nil {
			return nil, fmt.Errorf("%s:%w", name, err)
		}
	}
	return s, nil
}

func (s *Session) add(line int, text string) error {
	mark, rest, _ := strings.Cut(text, " ")
	step := Step{Line: line}
	switch mark {
	case "", "#":
		if mark == "" && strings.TrimSpace(text) != "" {
			return fmt.Errorf("%q begins with a space", text)
		}
		if strings.HasPrefix(rest, "[server closes connection") {
			step.Kind = Close
			break
		}
		return nil
	case "S:":
		step.Kind, step.Data = Server, []byte(rest+"\r\n")
	case "C:":
		step.Kind, step.Data = Client, []byte(rest+"\r\n")
	case "S64:", "C64:":
		data, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return fmt.Errorf("%s %w", mark, err)
		}
		step.Kind, step.Data = Server, data
		if mark == "C64:" {
			step.Kind = Client
		}
	case "S*:":
		n, err := strconv.Atoi(strings.TrimSpace(rest))
		if err != nil || n < 0 || n > MaxOmitted {
			return fmt.Errorf("%q is not a number of octets", rest)
		}
		step.Kind, step.Data = Server, madeUp(n)
	case "C*:":
		step.Kind = AnyLine
		if rest = strings.TrimSpace(rest); rest != "" {
			n, err := strconv.ParseInt(rest, 10, 64)
			if err != nil || n < 0 {
				return fmt.Errorf("%q is not a number of octets", rest)
			}
			step.Kind, step.N = AnyOctets, n
		}
	case "~":
		d, err := time.ParseDuration(strings.TrimSpace(rest))
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a time", rest)
		}
		step.Kind, step.Wait = Pause, d
	case "=":
		kinds := map[string]Kind{"TLS": TLS, "COMPRESS": Compress, "CLOSE": Close}
		what := strings.TrimSpace(rest)
		if what == "CONNECT" {
			s.Conns = append(s.Conns, Conn{})
			return nil
		}
		if step.Kind = kinds[what]; step.Kind == 0 {
			return fmt.Errorf("%q is none of TLS, COMPRESS, CLOSE, CONNECT", what)
		}
	default:
		if strings.HasPrefix(text, "#") {
			return nil
		}
		return fmt.Errorf("%q begins with none of S: C: S64: C64: S*: C*: ~ = #", text)
	}
	conn := &s.Conns[len(s.Conns)-1]
	conn.Steps = append(conn.Steps, step)
	return nil
}

// madeUp returns n octets in lines, without a dot at the beginning of any.
func madeUp(n int) []byte {
	const line = "octets that the session's file leaves out, and that are made up\r\n"
	b := bytes.Repeat([]byte(line), n/len(line)+1)[:n]
	if n >= 2 {
		copy(b[n-2:], "\r\n")
	}
	return b
}

var commandTag = regexp.MustCompile(`^[A-Za-z]{1,3}[0-9]+$`)

// prepare finds the tags, and what can never match.
func (c *Conn) prepare() error {
	var stream int64 // octets of a literal of the server's that are still to come
	tags := make(map[string]bool)
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Kind != Server {
			continue
		}
		if !c.imap && i == firstServer(c.Steps) {
			c.imap = bytes.HasPrefix(s.Data, []byte("* "))
		}
		if !c.imap {
			break
		}
		if stream > 0 {
			stream -= int64(len(s.Data))
			if stream >= 0 {
				continue
			}
		} else if word := firstWord(s.Data); word != "*" && word != "+" && commandTag.MatchString(word) {
			s.tag = word
			tags[word] = true
		}
		stream = max(literalLength(s.Data), 0)
	}
	given := make(map[string]int)
	upload := int64(0) // octets of a literal of the client's that are still to come
	for i := range c.Steps {
		s := &c.Steps[i]
		switch {
		case upload > 0 && (s.Kind == Client || s.Kind == AnyOctets):
			upload -= int64(len(s.Data)) + s.N // what looks like a tag there is none
		case s.Kind == Client && c.imap:
			if word := firstWord(s.Data); tags[word] || commandTag.MatchString(word) && !afterContinuation(c.Steps[:i]) {
				s.tag = word
				given[word] = s.Line
			}
			upload = max(literalLength(s.Data), 0)
		case s.Kind == Server && s.tag != "" && given[s.tag] == 0:
			return fmt.Errorf("%d: the server answers the tag %s, which the client has not given: that can never match", s.Line, s.tag)
		case s.Kind == Server && s.tag != "" && !wentOn(c.Steps[:i]):
			upload = 0 // it is refused
		case s.Kind == Close && i < len(c.Steps)-1:
			return fmt.Errorf("%d: after the server has hung up, nothing can happen on the connection", c.Steps[i+1].Line)
		}
	}
	return nil
}

// wentOn tells whether the client's last line ends with a literal that comes
// without being waited for.
func wentOn(before []Step) bool {
	for i := len(before) - 1; i >= 0; i-- {
		if s := before[i]; s.Kind == Client {
			return bytes.HasSuffix(bytes.TrimRight(s.Data, "\r\n"), []byte("+}"))
		}
	}
	return false
}

func firstServer(steps []Step) int {
	for i, s := range steps {
		if s.Kind == Server {
			return i
		}
	}
	return -1
}

// afterContinuation tells whether the client goes on with a command: behind a
// "+", or behind a literal.
func afterContinuation(before []Step) bool {
	for i := len(before) - 1; i >= 0; i-- {
		switch s := before[i]; s.Kind {
		case Server:
			return len(s.Data) > 0 && s.Data[0] == '+'
		case Client:
			return literalLength(s.Data) >= 0
		}
	}
	return false
}

func firstWord(line []byte) string {
	word, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
	return string(word)
}

// literalLength returns the n of a "{n}" at the end of a line, or -1.
func literalLength(line []byte) int64 {
	line = bytes.TrimRight(line, "\r\n")
	open := bytes.LastIndexByte(line, '{')
	if open < 0 || !bytes.HasSuffix(line, []byte("}")) {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(string(line[open+1:len(line)-1]), "+"), 10, 63)
	if err != nil {
		return -1
	}
	return n
}

// ServerOctets writes all that the server sends, for a parser to be tried on.
func (s *Session) ServerOctets(w io.Writer) error {
	for _, c := range s.Conns {
		for _, step := range c.Steps {
			if step.Kind == Server {
				if _, err := w.Write(step.Data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
