package disk

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fromLine is the line that begins a message in an mbox. Behind sender and
// date, where UUCP said which host a message came from and where readers of
// mboxes expect that, ours holds the name of the delivery and what is needed
// to give back the message's exact octets:
//
//	From joe@example.com Thu Nov 26 01:15:17 2026 remote from postbag-4f0c…29.18a5f3c2b1d0e4f0.9ac01d33fffffffee
//	                                                          id              made             sum     crlf    e
type fromLine struct {
	sender string
	date   time.Time
	id     string // uniqueName of box and UID; empty: not ours
	made   int64  // when it was delivered, in nanoseconds since 1970
	sum    uint32 // of the message: see messageSum
	crlf   uint32 // so many line ends are LF here and CRLF in the message; the rest are as they were
	open   bool   // the message's last line has no end
}

// allCRLF is the crlf of a message whose every line ended with CRLF.
const allCRLF = 1<<32 - 1

const fromMark = "From "

// String returns the line, which is as long whatever sum, crlf and open are.
func (l *fromLine) String() string {
	s := fromMark + l.sender + " " + l.date.UTC().Format(time.ANSIC)
	if l.id != "" {
		end := "e"
		if l.open {
			end = "n"
		}
		s += fmt.Sprintf(" remote from %s.%08x%08x%s", l.ref(), l.sum, l.crlf, end)
	}
	return s + "\n"
}

func (l *fromLine) ref() string { return fmt.Sprintf("%s.%016x", l.id, uint64(l.made)) }

var ourMark = regexp.MustCompile(` remote from (postbag-[0-9a-f]{32})\.([0-9a-f]{16})\.([0-9a-f]{8})([0-9a-f]{8})([en])\r?\n?$`)

// parseFrom reads a From_ line, our own or any other.
func parseFrom(line []byte) fromLine {
	var l fromLine
	rest := strings.TrimPrefix(string(line), fromMark)
	if m := ourMark.FindStringSubmatch(rest); m != nil {
		made, _ := strconv.ParseUint(m[2], 16, 64)
		sum, _ := strconv.ParseUint(m[3], 16, 32)
		crlf, _ := strconv.ParseUint(m[4], 16, 32)
		l = fromLine{id: m[1], made: int64(made), sum: uint32(sum), crlf: uint32(crlf), open: m[5] == "n"}
		rest = strings.TrimSuffix(rest, m[0])
	}
	sender, date, _ := strings.Cut(strings.TrimRight(rest, "\r\n"), " ")
	l.sender = sender
	date = strings.TrimLeft(date, " ")
	if len(date) >= len(time.ANSIC) {
		l.date, _ = time.Parse(time.ANSIC, date[:len(time.ANSIC)]) // else zero
	}
	return l
}

// nobody is the sender of a message that says none (RFC 4155 has no word for
// it; this is what mail programs write).
const nobody = "MAILER-DAEMON"

// maxSender keeps From_ lines short enough for all who read them.
const maxSender = 128

// returnPath returns the envelope sender that a message's header tells
// (RFC 5321 section 4.4), if that can stand in a From_ line.
func returnPath(head []byte) string {
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		name, value, ok := bytes.Cut(line, []byte(":"))
		if len(line) == 0 {
			break
		}
		if !ok || !strings.EqualFold(string(bytes.TrimRight(name, " \t")), "Return-Path") {
			continue
		}
		s := strings.TrimSpace(string(value))
		s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
		if s == "" || len(s) > maxSender || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			break
		}
		return s
	}
	return nobody
}
