package imapclient_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"regexp"
	"slices"
	"strings"
)

// exchange is a command of a recorded session and what the server said to it,
// in pieces if the client said more in between.
type exchange struct {
	command string // without its tag; empty for the greeting
	tag     string
	said    [][]byte
	closes  bool
}

var (
	commandForm = regexp.MustCompile(`^([A-Za-z0-9.]+) ([A-Za-z].*)$`)
)

// readExchanges reads a transcript. See the corpus's README.
func readExchanges(data []byte) []exchange {
	list := []exchange{{}}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		last := &list[len(list)-1]
		switch mark, text, _ := strings.Cut(line, " "); mark {
		case "S:", "S64:":
			octets := []byte(text + "\r\n")
			if mark == "S64:" {
				octets, _ = base64.StdEncoding.DecodeString(text)
			}
			if len(last.said) == 0 {
				last.said = append(last.said, nil)
			}
			n := len(last.said) - 1
			last.said[n] = append(last.said[n], octets...)
		case "C:", "C64:", "C*:":
			m := commandForm.FindStringSubmatch(text)
			switch n := len(last.said); {
			case mark == "C*:":
				list = append(list, exchange{command: "NOOP"})
			case m != nil && (n == 0 || !bytes.HasPrefix(last.said[n-1], []byte("+"))):
				list = append(list, exchange{command: m[2], tag: m[1]})
			default:
				last.said = append(last.said, nil)
			}
		case "#":
			last.closes = last.closes || strings.HasPrefix(text, "[server closes")
		}
	}
	return list
}

// ending returns the status that an exchange ended with, OK if it did not.
func (e *exchange) ending() string {
	for line := range bytes.Lines(slices.Concat(e.said...)) {
		if rest, ok := strings.CutPrefix(string(line), e.tag+" "); ok && e.tag != "" {
			status, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return strings.ToUpper(status)
		}
	}
	return "OK"
}

// answers returns what is to be said to a command with another tag.
func (e *exchange) answers(tag string) [][]byte {
	var said [][]byte
	tagged := false
	anyTag := regexp.MustCompile(`^[A-Za-z]?[0-9]+ (OK|NO|BAD)`)
	for _, piece := range e.said {
		var out []byte
		for line := range bytes.Lines(piece) {
			rest, ok := bytes.CutPrefix(line, []byte(e.tag+" "))
			if e.tag == "" {
				ok = anyTag.Match(line)
				_, rest, _ = bytes.Cut(line, []byte(" "))
			}
			if ok && !tagged {
				tagged = true
				line = append([]byte(tag+" "), rest...)
			}
			out = append(out, line...)
		}
		said = append(said, out)
	}
	if !tagged && !e.closes {
		said = append(said, []byte(tag+" OK (not recorded)\r\n"))
		if n := len(said); n > 1 && len(e.said) > 0 {
			said = append(said[:n-2], slices.Concat(said[n-2:]...))
		}
	}
	return said
}

// lockstep is a server that says to the next command what it is told to, and
// OK to others.
type lockstep struct {
	conn io.ReadWriter
	next *exchange
}

func (s *lockstep) serve(greeting []byte) {
	s.conn.Write(greeting)
	r := bufio.NewReader(s.conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		e := s.next
		if e == nil || strings.HasPrefix(command, "CAPABILITY") && !strings.HasPrefix(strings.ToUpper(e.command), "CAPABILITY") {
			switch {
			case command == "CAPABILITY":
				io.WriteString(s.conn, "* CAPABILITY IMAP4rev1 IDLE CONDSTORE X-GM-EXT-1 PREVIEW OBJECTID SAVEDATE\r\n")
			case strings.HasPrefix(command, "SELECT"):
				io.WriteString(s.conn, "* 9 EXISTS\r\n")
			}
			io.WriteString(s.conn, tag+" OK\r\n")
			continue
		}
		s.next = nil
		if strings.HasPrefix(command, "SELECT") {
			io.WriteString(s.conn, "* 9 EXISTS\r\n") // if nothing else was recorded
		}
		said := e.answers(tag)
		if fields := strings.Fields(command); fields[0] == "AUTHENTICATE" {
			recordedIR := len(strings.Fields(e.command)) > 2
			if len(fields) > 2 && !recordedIR && len(said) > 1 {
				said = said[1:]
			} else if len(fields) == 2 && recordedIR {
				io.WriteString(s.conn, "+ \r\n")
				r.ReadString('\n')
			}
		}
		for i, piece := range said {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			s.conn.Write(piece)
		}
		if e.closes {
			s.conn.(io.Closer).Close()
			return
		}
	}
}
