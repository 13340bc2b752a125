package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// demo is a Maildir and a ledger in a temporary folder.
type demo struct {
	*command
	dir     string
	maildir *disk.Maildir
	ledger  *disk.Ledger
}

// showDemo retrieves from a POP3 and an IMAP server in this process, and says
// what happens. It is an error if that is not what should happen.
func (c *command) showDemo(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mailget-demo-")
	if err != nil {
		return diskError(err)
	}
	defer os.RemoveAll(dir)
	d := demo{command: c, dir: dir}
	if d.maildir, err = disk.OpenMaildir(filepath.Join(dir, "mail")); err != nil {
		return diskError(err)
	}
	defer d.maildir.Close()
	if d.ledger, err = disk.OpenLedger(filepath.Join(dir, "ledger")); err != nil {
		return diskError(err)
	}
	defer d.ledger.Close()
	d.say("A Maildir and a ledger are in %s until the end of this demo.", dir)
	if err := d.pop3(ctx); err != nil {
		return err
	}
	if err := d.imap(ctx); err != nil {
		return err
	}
	d.say("\nAll went as it should.")
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.stdout, format+"\n", args...) }

// server starts a server that has a dozen messages.
func (d *demo) server() (*retrievaltest.Server, error) {
	s, err := retrievaltest.Start(nil)
	if err != nil {
		return nil, err
	}
	s.Deliver(demoMail()...)
	return s, nil
}

// pop3 takes messages home.
func (d *demo) pop3(ctx context.Context) error {
	s, err := d.server()
	if err != nil {
		return err
	}
	defer s.Close()
	a := s.Account(retrieval.POP3)
	a.Policy = retrieval.DownloadAndDelete
	d.say("\nPOP3, download and delete: a trip to the post office.\n")
	if err := d.run(ctx, a, retrieval.Report{Listed: 12, Delivered: 12, Deleted: 12}); err != nil {
		return err
	}
	if left := len(s.Contents()); left > 0 {
		return fmt.Errorf("demo: the server still has %s", count(left))
	}
	d.say("  The server has none left. The Maildir has")
	return d.show(func(string) bool { return true })
}

// imap follows a mailbox that another client changes.
func (d *demo) imap(ctx context.Context) error {
	s, err := d.server()
	if err != nil {
		return err
	}
	defer s.Close()
	a := s.Account(retrieval.IMAP)
	a.Policy = retrieval.ServerSync
	d.say("\nIMAP, in step with the server: a library that keeps its books.\n")
	if err := d.run(ctx, a, retrieval.Report{Listed: 12, Delivered: 12}); err != nil {
		return err
	}
	there := s.Contents()
	for _, m := range there {
		if len(m.Flags) > 0 {
			return fmt.Errorf("demo: retrieving has set the flags %q of message %s", m.Flags, m.UID)
		}
	}
	d.say("  The server still has %s, none of them marked as seen.", count(len(there)))

	d.say("\nAnother client stars and reads the first message there, and deletes the second. Again:\n")
	before, err := d.files()
	if err != nil {
		return err
	}
	s.SetFlags(there[0].UID, retrieval.FlagSeen, retrieval.FlagFlagged)
	s.Delete(there[1].UID)
	if err := d.run(ctx, a, retrieval.Report{Listed: 11, Reflagged: 1, Discarded: 1, Skipped: 10}); err != nil {
		return err
	}
	d.say("  F is for flagged, S for seen:")
	if err := d.show(func(file string) bool { return !slices.Contains(before, file) }); err != nil {
		return err
	}

	d.say("\nAnd once more, with nothing new:\n")
	return d.run(ctx, a, retrieval.Report{Listed: 11, Skipped: 11})
}

// run retrieves, reports, and compares with what should have happened.
func (d *demo) run(ctx context.Context, a retrieval.Account, want retrieval.Report) error {
	r, err := retrieval.Run(ctx, a, d.maildir, d.ledger)
	if err != nil {
		return err
	}
	d.say("  %s,", summary(r))
	d.say("  %s in, %s out, %d round trips.", size(r.WireIn), size(r.WireOut), r.RoundTrips)
	got := retrieval.Report{Listed: r.Listed, Delivered: r.Delivered, Deleted: r.Deleted, Reflagged: r.Reflagged, Discarded: r.Discarded, Skipped: r.Skipped, Failed: r.Failed}
	if g, w := summary(got), summary(want); g != w {
		return fmt.Errorf("demo: this should have been %q, not %q", w, g)
	}
	return nil
}

// files returns the names of all delivered files, oldest first.
func (d *demo) files() ([]string, error) {
	var files []string
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(d.dir, "mail", sub))
		if err != nil {
			return nil, diskError(err)
		}
		for _, e := range entries {
			files = append(files, sub+"/"+e.Name())
		}
	}
	return files, nil
}

// show prints files and what they hold.
func (d *demo) show(which func(file string) bool) error {
	files, err := d.files()
	if err != nil {
		return err
	}
	var rows []string
	for _, file := range files {
		if !which(file) {
			continue
		}
		f, err := os.Open(filepath.Join(d.dir, "mail", file))
		if err != nil {
			return diskError(err)
		}
		env, err := message.ReadEnvelope(f)
		f.Close()
		if err != nil {
			return diskError(err)
		}
		e := newEntry(retrieval.Summary{}, env)
		date := env.Date.Format("02 Jan")
		rows = append(rows, fmt.Sprintf("    %s  %s  %s  %s", date, shorten(file), cell(e.sender(), 28, true), cell(e.Subject, 40, true)))
	}
	slices.Sort(rows)
	for _, row := range rows {
		d.say("%s", strings.TrimRight(row, " "))
	}
	return nil
}

// shorten leaves out most of a file's unique name.
func shorten(file string) string {
	name, flags, _ := strings.Cut(file, ":")
	if len(name) > 20 {
		name = name[:18] + "…" + name[len(name)-2:]
	}
	if flags != "" {
		flags = ":" + flags
	}
	return fmt.Sprintf("%-26s", name+flags)
}
