package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// each calls f with all that a ledger knows of each mailbox.
func each(ctx context.Context, path string, f func(retrieval.Box, retrieval.State) error) error {
	l, err := disk.ReadLedger(path)
	if err != nil {
		return err
	}
	defer l.Close()
	boxes, err := l.Boxes(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(boxes, func(a, b retrieval.Box) int {
		return strings.Compare(a.Account+"\x00"+a.Mailbox, b.Account+"\x00"+b.Mailbox)
	})
	for _, box := range boxes {
		p, err := l.Open(ctx, box)
		if err != nil {
			return err
		}
		st, err := p.Load(ctx)
		if err == nil {
			err = f(box, st)
		}
		if err := errors.Join(err, p.Close()); err != nil {
			return err
		}
	}
	return nil
}

var stages = map[retrieval.Stage]string{retrieval.Intended: "intended", retrieval.Settled: "settled", retrieval.Doomed: "doomed"}

// dump prints a mailbox as a person reads it: what is special about a message
// is named, what is not is left out.
func dump(ctx context.Context, out io.Writer, args []string) error {
	w := bufio.NewWriter(out)
	err := each(ctx, args[0], func(box retrieval.Box, st retrieval.State) error {
		n := make(map[retrieval.Stage]int)
		for _, r := range st.Records {
			n[r.Stage]++
		}
		fmt.Fprintf(w, "%s %s\n", printable(box.Account), printable(box.Mailbox))
		fmt.Fprintf(w, "  %d intended, %d settled, %d doomed; store %s\n", n[retrieval.Intended], n[retrieval.Settled], n[retrieval.Doomed], printable(st.Store))
		if st.Cursor != nil {
			fmt.Fprintf(w, "  cursor %.200q\n", st.Cursor)
		}
		if !st.Clock.Wall.IsZero() {
			fmt.Fprintf(w, "  clock %s, when the machine's was %s\n", at(st.Clock.Time), at(st.Clock.Wall))
		}
		for _, h := range st.Hours {
			fmt.Fprintf(w, "  %d octets received in the hour from %s\n", h.Octets, at(h.Begins))
		}
		for _, uid := range slices.Sorted(maps.Keys(st.Records)) {
			fmt.Fprintf(w, "    %s\n", line(st.Records[uid]))
		}
		return nil
	})
	return errors.Join(err, w.Flush())
}

func line(r retrieval.Record) string {
	words := []string{printable(string(r.UID)), stages[r.Stage]}
	add := func(there bool, format string, args ...any) {
		if there {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(!r.Delivered.IsZero(), "delivered %s", at(r.Delivered))
	add(r.Delivered.IsZero() && !r.Since.IsZero(), "since %s", at(r.Since))
	add(r.Size != 0, "size %d", r.Size)
	add(r.Ref != "", "as %s", printable(r.Ref))
	for _, what := range []struct {
		name  string
		flags []retrieval.Flag
	}{{"flags", r.Flags}, {"following", r.Following}, {"sending", r.Sending}} {
		text := what.name
		for _, f := range what.flags {
			text += " " + printable(string(f))
		}
		add(len(what.flags) > 0, "%s", text)
	}
	add(r.Email != "", "email %s", printable(r.Email))
	add(r.Twin, "twin")
	add(r.Seeded, "seeded")
	add(r.HeaderOnly, "header only")
	add(r.Due, "action due")
	add(!r.Vanished.IsZero(), "vanished %s", at(r.Vanished))
	add(!r.Missed.IsZero(), "missed here %s", at(r.Missed))
	add(r.Deletes > 0, "deleted again %d", r.Deletes)
	add(r.Attempts > 0, "failed %d, retry %s", r.Attempts, at(r.Retry))
	return strings.Join(words, ", ")
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// printable quotes what a terminal could take for something else, or a reader
// for nothing or for two words.
func printable(s string) string {
	strange := func(r rune) bool {
		return r == ' ' || r == ',' || r == '"' || r == utf8.RuneError || !strconv.IsPrint(r)
	}
	if s == "" || strings.ContainsFunc(s, strange) {
		return strconv.Quote(s)
	}
	return s
}

// dumpJSON prints a line for each mailbox, and one for each message after it.
func dumpJSON(ctx context.Context, out io.Writer, args []string) error {
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	err := each(ctx, args[0], func(box retrieval.Box, st retrieval.State) error {
		err := enc.Encode(struct {
			Account string           `json:"account"`
			Mailbox string           `json:"mailbox"`
			Store   string           `json:"store,omitempty"`
			Cursor  []byte           `json:"cursor,omitempty"`
			Clock   *retrieval.Clock `json:"clock,omitempty"`
			Hours   []hour           `json:"hours,omitempty"`
			Records int              `json:"records"`
		}{box.Account, box.Mailbox, st.Store, st.Cursor, clock(st), hours(st), len(st.Records)})
		for _, uid := range slices.Sorted(maps.Keys(st.Records)) {
			err = errors.Join(err, enc.Encode(jsonRecord(st.Records[uid])))
		}
		return err
	})
	return errors.Join(err, w.Flush())
}

func clock(st retrieval.State) *retrieval.Clock {
	if st.Clock.Wall.IsZero() {
		return nil
	}
	return &st.Clock
}

// hour is an hour of an account's day.
type hour struct {
	Begins time.Time `json:"begins"`
	Octets int64     `json:"octets"`
}

func hours(st retrieval.State) []hour {
	var all []hour
	for _, h := range st.Hours {
		all = append(all, hour{h.Begins, h.Octets})
	}
	return all
}

func jsonRecord(r retrieval.Record) any {
	rec := struct {
		UID        retrieval.UID    `json:"uid"`
		UIDOctets  []byte           `json:"uid_octets,omitempty"` // if they are no text
		Stage      string           `json:"stage"`
		Ref        string           `json:"ref,omitempty"`
		Flags      []retrieval.Flag `json:"flags,omitempty"`
		Since      time.Time        `json:"since,omitzero"`
		Delivered  time.Time        `json:"delivered,omitzero"`
		Received   time.Time        `json:"received,omitzero"`
		Size       int64            `json:"size,omitempty"`
		Print      string           `json:"print,omitempty"`
		Email      string           `json:"email,omitempty"`
		Twin       bool             `json:"twin,omitempty"`
		Seeded     bool             `json:"seeded,omitempty"`
		HeaderOnly bool             `json:"header_only,omitempty"`
		Due        bool             `json:"due,omitempty"`
		Following  []retrieval.Flag `json:"following,omitempty"`
		Sending    []retrieval.Flag `json:"sending,omitempty"`
		Vanished   time.Time        `json:"vanished,omitzero"`
		Missed     time.Time        `json:"missed,omitzero"`
		Deletes    int              `json:"deletes,omitempty"`
		Attempts   int              `json:"attempts,omitempty"`
		Retry      time.Time        `json:"retry,omitzero"`
	}{
		UID: r.UID, Stage: stages[r.Stage], Ref: r.Ref, Flags: r.Flags, Since: r.Since, Delivered: r.Delivered, Received: r.Received,
		Size: r.Size, Email: r.Email, Twin: r.Twin, Seeded: r.Seeded, HeaderOnly: r.HeaderOnly, Due: r.Due, Following: r.Following, Sending: r.Sending, Vanished: r.Vanished, Missed: r.Missed,
		Deletes: r.Deletes, Attempts: r.Attempts, Retry: r.Retry,
	}
	if r.Print != (retrieval.Print{}) {
		rec.Print = fmt.Sprintf("%x", r.Print)
	}
	if !utf8.ValidString(string(r.UID)) {
		rec.UIDOctets = []byte(r.UID)
	}
	return rec
}
