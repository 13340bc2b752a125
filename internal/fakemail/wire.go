package fakemail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The limits on what a client may send.
const (
	maxLine        = 1 << 20  // octets of a line
	maxLiteral     = 64 << 20 // octets of a literal
	maxEarly       = 64 << 10 // of one before login
	maxUnannounced = 4096     // of one that does not wait. RFC 7888 section 5, LITERAL-
)

var (
	errLong    = errors.New("the line is too long")
	errLiteral = errors.New("literals like this are not offered")
)

// readCommand reads a line and what literals it has. It returns nothing for a
// command that is over already: one whose literal is too large.
func (s *session) readCommand() (string, error) {
	s.buf = s.buf[:0]
	if cap(s.buf) > maxLine {
		s.buf = nil // not for ever what one APPEND needed
	}
	for {
		start := len(s.buf)
		if err := s.readLine(); err != nil {
			return "", err
		}
		n, waits, ok := literalEnd(s.buf[start:])
		if !ok {
			return string(s.buf), nil
		}
		limit := maxLiteral
		if s.user == nil {
			limit = maxEarly
		}
		switch {
		case !waits && !s.srv.has["LITERAL+"] && (!s.srv.has["LITERAL-"] || n > maxUnannounced):
			return "", errLiteral
		case n > int64(limit):
			if !waits {
				if _, err := io.CopyN(io.Discard, s.r, n); err != nil {
					return "", err
				}
			}
			tag, _, _ := bytes.Cut(s.buf, []byte(" "))
			s.line(string(tag) + " NO [TOOBIG] the literal is too large")
			if !waits {
				return "", s.skipLine()
			}
			return "", nil
		}
		if waits {
			s.line("+ go on")
			if err := s.flush(); err != nil {
				return "", err
			}
		}
		end := len(s.buf)
		s.buf = slices.Grow(s.buf, int(n))[:end+int(n)]
		if _, err := io.ReadFull(s.r, s.buf[end:]); err != nil {
			return "", err
		}
	}
}

// readLine adds a line to s.buf.
func (s *session) readLine() error {
	for start := len(s.buf); ; {
		part, err := s.r.ReadSlice('\n')
		s.buf = append(s.buf, part...)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		case len(s.buf)-start > maxLine:
			return errLong
		}
	}
}

func (s *session) skipLine() error {
	s.buf = s.buf[:0]
	return s.readLine()
}

// literalEnd finds the announcement of a literal at the end of a line, and
// whether the client waits to be told to go on. RFC 9051 section 4.3, RFC 7888.
func literalEnd(line []byte) (n int64, waits, ok bool) {
	line, ended := bytes.CutSuffix(line, []byte("}\r\n"))
	if !ended {
		return 0, false, false
	}
	open := bytes.LastIndexByte(line, '{')
	if open < 0 {
		return 0, false, false
	}
	number, unannounced := bytes.CutSuffix(line[open+1:], []byte("+"))
	n, err := strconv.ParseInt(string(number), 10, 64)
	return n, !unannounced, err == nil && n >= 0
}

// lines are lines to be written once the store's lock is free.
type lines []byte

func (l *lines) add(format string, v ...any) {
	*l = append(fmt.Appendf(*l, format, v...), "\r\n"...)
}

// literal returns text as a literal.
func literal(text string) string { return "{" + strconv.Itoa(len(text)) + "}\r\n" + text }

// loggable returns the arguments of a command without secrets and mail.
func loggable(name, text string) string {
	switch name {
	case "LOGIN":
		a := &args{s: text}
		return quote(a.astring()) + " ***"
	case "AUTHENTICATE":
		mech, initial, has := strings.Cut(text, " ")
		if has && initial != "=" {
			return mech + " ***"
		}
		return text
	}
	var out strings.Builder
	for {
		i := strings.Index(text, "}\r\n")
		if i < 0 {
			return out.String() + text
		}
		out.WriteString(text[:i+1])
		open := strings.LastIndexByte(text[:i], '{')
		n, _ := strconv.Atoi(strings.TrimSuffix(text[open+1:i], "+"))
		text = text[min(len(text), i+3+n):]
	}
}
