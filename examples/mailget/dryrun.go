package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// forecast prints what a run would do.
func (c *command) forecast(ctx context.Context, a retrieval.Account) error {
	empty, err := os.MkdirTemp("", "mailget-dry-run-")
	if err != nil {
		return diskError(err)
	}
	defer os.RemoveAll(empty)
	store, err := c.readStore(empty)
	if err != nil {
		return err
	}
	defer store.Close()
	sink, err := c.openSink(&a, func(a *retrieval.Account, d destination) (sink, error) { return c.readSink(a, d, empty) })
	if err != nil {
		return err
	}
	defer sink.Close()

	all, err := retrieval.DryRun(ctx, a, sink.Sink, store)
	for _, f := range all {
		if printed := c.printForecast(f); printed != nil && err == nil {
			err = diskError(printed)
		}
	}
	return err
}

// readStore opens the ledger to read it only. In the place of one that is not
// there an empty one is put, which is removed with the folder it is in.
func (c *command) readStore(empty string) (store, error) {
	if c.ledger == "" {
		return c.openStore()
	}
	l, err := disk.ReadLedger(c.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		l, err = disk.OpenLedger(filepath.Join(empty, "ledger"))
	}
	if err != nil {
		return store{}, diskError(err)
	}
	return store{l, l}, nil
}

// readSink opens a destination, unless that would make or change a file.
func (c *command) readSink(a *retrieval.Account, d destination, empty string) (sink, error) {
	switch d.kind {
	case "maildir":
		if _, err := os.Stat(filepath.Join(d.rest, "cur")); errors.Is(err, fs.ErrNotExist) {
			d.rest = filepath.Join(empty, "mail")
		}
	case "mbox":
		if _, err := os.Stat(d.rest); errors.Is(err, fs.ErrNotExist) {
			return sink{discard, nothing{}}, nil
		}
	}
	return c.openOne(a, d)
}

// prediction is a Forecast as JSON.
type prediction struct {
	Mailbox     string   `json:"mailbox"`
	Deliver     []future `json:"deliver"`
	HeaderOnly  []future `json:"header_only,omitempty"`
	Delete      []string `json:"delete"`
	Send        []string `json:"send,omitempty"`
	Reflag      []string `json:"reflag,omitempty"`
	Discard     []string `json:"discard,omitempty"`
	After       []string `json:"after,omitempty"`
	Skipped     int      `json:"skipped"`
	Quarantined int      `json:"quarantined,omitempty"`
	RoomInMS    int64    `json:"room_in_ms,omitempty"`
}

// future is a message that would be delivered.
type future struct {
	UID  string `json:"uid"`
	Size int64  `json:"size"`
}

func (c *command) printForecast(f retrieval.Forecast) error {
	deletes := append(f.Delete, f.Remove...)
	if c.json {
		return json.NewEncoder(c.stdout).Encode(prediction{
			Mailbox: f.Mailbox, Deliver: futures(f.Deliver), HeaderOnly: futures(f.HeaderOnly), Delete: names(deletes),
			Send: names(f.Send), Reflag: names(f.Reflag), Discard: names(f.Discard), After: names(f.After),
			Skipped: f.Skipped, Quarantined: f.Quarantined, RoomInMS: f.RoomIn.Milliseconds(),
		})
	}
	var octets int64
	for _, s := range f.Deliver {
		octets += max(s.Size, 0)
	}
	if f.RoomIn > 0 && len(f.Deliver)+f.Skipped == 0 {
		_, err := fmt.Fprintln(c.stdout, unasked+room(f.RoomIn))
		return err
	}
	line := fmt.Sprintf("%s: %s would be delivered", cell(f.Mailbox, 0, false), count(len(f.Deliver)))
	if len(f.Deliver) > 0 {
		line += fmt.Sprintf(" (%s)", size(octets))
	}
	_, err := fmt.Fprintln(c.stdout, line+listed([]happened{
		{len(f.HeaderOnly), "as headers only"},
		{len(deletes), "deleted there"},
		{len(f.After), "marked or moved there"},
		{len(f.Send), "changed there as here"},
		{len(f.Reflag), "given other flags here"},
		{len(f.Discard), "removed here"},
		{f.Skipped, "left as they are"},
	})+room(f.RoomIn))
	return err
}

func futures(all []retrieval.Summary) []future {
	fs := make([]future, 0, len(all))
	for _, s := range all {
		fs = append(fs, future{string(s.UID), s.Size})
	}
	return fs
}

func names(uids []retrieval.UID) []string {
	ns := make([]string, 0, len(uids))
	for _, uid := range uids {
		ns = append(ns, string(uid))
	}
	return ns
}
