package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// writeText writes the report for people. What strangers wrote can do nothing
// to a terminal.
func (r *report) writeText(out io.Writer) error {
	w := bufio.NewWriter(out)
	e := &r.Envelope
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-12s%s\n", name, visible(value))
		}
	}
	line("Subject", e.Subject)
	line("From", people(e.From))
	line("Reply-To", people(e.ReplyTo))
	line("To", people(e.To))
	line("Cc", people(e.Cc))
	line("Bcc", people(e.Bcc))
	line("Date", e.Date)
	line("Message-ID", e.MessageID)
	line("In-Reply-To", e.InReplyTo)

	fmt.Fprintln(w, "\nParts")
	for _, p := range r.Parts {
		fmt.Fprintf(w, "  %s%s  %s, %d octets\n", strings.Repeat("  ", strings.Count(p.Path, ".")), p.Path, visible(p.ContentType), p.Size)
	}
	if len(r.Attachments) > 0 {
		fmt.Fprintln(w, "\nAttachments")
	}
	for _, a := range r.Attachments {
		fmt.Fprintf(w, "  %s  %q %s, %d octets\n", a.Path, a.Filename, visible(a.ContentType), a.Size)
	}
	if len(r.Defects) > 0 {
		fmt.Fprintln(w, "\nDefects")
	}
	for _, d := range r.Defects {
		fmt.Fprintf(w, "  part %s at %d: %s\n", d.Path, d.Offset, d.Kind)
	}
	fmt.Fprintln(w, "\nText")
	for l := range strings.Lines(r.Text) {
		fmt.Fprintln(w, "  "+visible(strings.TrimRight(l, "\r\n")))
	}
	return w.Flush()
}

func people(list []address) string {
	var all []string
	for _, a := range list {
		switch {
		case a.Name == "":
			all = append(all, a.Address)
		default:
			all = append(all, a.Name+" <"+a.Address+">")
		}
	}
	return strings.Join(all, ", ")
}

// visible leaves out what commands terminals or turns the direction of
// writing.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
}
