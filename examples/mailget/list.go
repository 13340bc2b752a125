package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
)

// entry is a message in a list. As JSON it is a line of -list -json.
type entry struct {
	UID       string     `json:"uid"`
	Size      int64      `json:"size"`
	Flags     []string   `json:"flags"`
	Received  *time.Time `json:"received,omitempty"`
	Subject   string     `json:"subject"`
	From      []person   `json:"from"`
	ReplyTo   []person   `json:"reply_to"`
	To        []person   `json:"to"`
	Cc        []person   `json:"cc"`
	Bcc       []person   `json:"bcc"`
	Date      *time.Time `json:"date,omitempty"`
	MessageID string     `json:"message_id"`
	InReplyTo []string   `json:"in_reply_to"`
	Refers    []string   `json:"references"`
}

type person struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// listMailbox prints a line for each message as its header arrives.
func (c *command) listMailbox(ctx context.Context, a retrieval.Account) error {
	a.Policy = nil // to look asks nothing of the server
	r, err := retrieval.Open(ctx, a)
	if err != nil {
		return err
	}
	defer r.Close()
	listed, err := r.List(ctx)
	if err != nil {
		return err
	}
	if c.limit > 0 {
		listed = listed[:min(len(listed), c.limit)]
	}
	byUID := make(map[retrieval.UID]retrieval.Summary, len(listed))
	uids := make([]retrieval.UID, 0, len(listed))
	for _, s := range listed {
		byUID[s.UID] = s
		uids = append(uids, s.UID)
	}
	if !c.json && len(listed) > 0 {
		fmt.Fprintln(c.stdout, tableHead)
	}
	failed := 0
	for m, err := range r.Headers(ctx, uids...) {
		if errors.Is(err, retrieval.ErrSession) {
			return err
		}
		var env *message.Envelope
		if err == nil {
			env, err = message.ReadEnvelope(m)
		}
		if err != nil {
			failed++
			fmt.Fprintln(c.stderr, "mailget:", oneLine(err))
			continue
		}
		if err := c.printEntry(newEntry(byUID[m.UID], env)); err != nil {
			return diskError(err)
		}
	}
	if failed > 0 {
		return partly(failed)
	}
	_, err = r.Commit(ctx) // says goodbye
	return err
}

func newEntry(s retrieval.Summary, env *message.Envelope) entry {
	e := entry{
		UID:       string(s.UID),
		Size:      s.Size,
		Flags:     make([]string, 0, len(s.Flags)),
		Subject:   env.Subject,
		From:      people(env.From),
		ReplyTo:   people(env.ReplyTo),
		To:        people(env.To),
		Cc:        people(env.Cc),
		Bcc:       people(env.Bcc),
		MessageID: env.MessageID,
		InReplyTo: append([]string{}, env.InReplyTo...),
		Refers:    append([]string{}, env.References...),
	}
	for _, f := range s.Flags {
		e.Flags = append(e.Flags, string(f))
	}
	if !s.Received.IsZero() {
		e.Received = &s.Received
	}
	if !env.Date.IsZero() {
		e.Date = &env.Date
	}
	return e
}

func people(list []message.Address) []person {
	ps := make([]person, 0, len(list))
	for _, a := range list {
		ps = append(ps, person(a))
	}
	return ps
}

func (c *command) printEntry(e entry) error {
	if c.json {
		return json.NewEncoder(c.stdout).Encode(e)
	}
	_, err := fmt.Fprintln(c.stdout, e.row())
	return err
}

var tableHead = fmt.Sprintf("%-14s  %-16s  %8s  %-6s  %-24s  %s", "UID", "DATE", "SIZE", "FLAGS", "FROM", "SUBJECT")

func (e *entry) row() string {
	date := ""
	if d := cmp.Or(e.Date, e.Received); d != nil {
		date = d.Local().Format("2006-01-02 15:04")
	}
	return strings.TrimRight(fmt.Sprintf("%s  %-16s  %8s  %s  %s  %s",
		cell(e.UID, 14, false), date, size(e.Size), cell(e.marks(), 6, true), cell(e.sender(), 24, true), cell(e.Subject, 0, false)), " ")
}

// sender is the name of the author, or what there is of one.
func (e *entry) sender() string {
	for _, p := range append(e.From, e.ReplyTo...) {
		if s := cmp.Or(p.Name, p.Address); s != "" {
			return s
		}
	}
	return ""
}

// marks are the flags as a Maildir has them in its file names, and a plus sign
// for others.
func (e *entry) marks() string {
	var marks []byte
	for _, f := range e.Flags {
		c, ok := markLetters[strings.ToLower(f)]
		if !ok {
			c = '+'
		}
		marks = append(marks, c)
	}
	slices.Sort(marks)
	return string(slices.Compact(marks))
}

var markLetters = map[string]byte{`\draft`: 'D', `\flagged`: 'F', "$forwarded": 'P', `\answered`: 'R', `\seen`: 'S', `\deleted`: 'T'}

// cell is s in at least width columns, or exactly so many if it is to be cut,
// without what would disturb a terminal.
func cell(s string, width int, cut bool) string {
	var b strings.Builder
	columns := 0
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		w := runeWidth(r)
		if cut && columns+w > width {
			short := []rune(b.String())
			for columns >= width {
				columns -= runeWidth(short[len(short)-1])
				short = short[:len(short)-1]
			}
			b.Reset()
			b.WriteString(string(short) + "…")
			columns++
			break
		}
		b.WriteRune(r)
		columns += w
	}
	return b.String() + strings.Repeat(" ", max(width-columns, 0))
}

// runeWidth is how many columns most terminals give to a character.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	return 1
}
