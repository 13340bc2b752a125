package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var inbox = retrieval.Box{Account: "imap://ann@mail.example", Mailbox: "INBOX"}

// makeLedger makes a ledger of two mailboxes.
func makeLedger(path string) error {
	ctx := context.Background()
	l, err := disk.OpenLedger(path)
	if err != nil {
		return err
	}
	defer l.Close()
	day := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for box, ch := range map[retrieval.Box]retrieval.Change{
		inbox: {
			Put: []retrieval.Record{
				{UID: "7.1", Stage: retrieval.Settled, Ref: "postbag-1", Since: day, Delivered: day.Add(time.Second), Size: 1234, Flags: []retrieval.Flag{retrieval.FlagSeen}},
				{UID: "7.2", Stage: retrieval.Doomed, Ref: "postbag-2", Since: day, Delivered: day.Add(time.Second), Size: 99, Deletes: 1},
				{UID: "7.3", Stage: retrieval.Intended, Since: day, Attempts: 3, Retry: day.Add(time.Hour)},
			},
			Cursor: []byte("7 1000"), Clock: &retrieval.Clock{Time: day, Wall: day.Add(time.Minute)},
		},
		{Account: "pop3://ann@mail.example", Mailbox: "INBOX"}: {Put: []retrieval.Record{{UID: "\xff \x1b[2J", Stage: retrieval.Settled}}},
	} {
		p, err := l.Open(ctx, box)
		if err != nil {
			return err
		}
		if err := p.Update(ctx, ch); err != nil {
			return err
		}
		p.Close()
	}
	return nil
}

func Example() {
	dir, err := os.MkdirTemp("", "ledger-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mail.ledger")
	if err := makeLedger(path); err != nil {
		fmt.Println(err)
		return
	}
	ledger := func(args ...string) {
		var out bytes.Buffer
		code := run(context.Background(), args, &out, &out)
		for line := range strings.Lines(out.String()) {
			before, _, ok := strings.Cut(line, "; store ")
			fmt.Println(strings.TrimRight(before, "\n") + map[bool]string{true: "; store …", false: ""}[ok])
		}
		if code != 0 {
			fmt.Println("exit", code)
		}
	}
	ledger("check", path)
	ledger("dump", path)
	ledger("forget", path, inbox.Account, inbox.Mailbox, "7.3")
	ledger("forget", path, inbox.Account, inbox.Mailbox)
	ledger("dump", path)
	// Output:
	// whole
	// imap://ann@mail.example INBOX
	//   1 intended, 1 settled, 1 doomed; store …
	//   cursor "7 1000"
	//   clock 2026-11-25T12:00:00Z, when the machine's was 2026-11-25T12:01:00Z
	//     7.1, settled, delivered 2026-11-25T12:00:01Z, size 1234, as postbag-1, flags \Seen
	//     7.2, doomed, delivered 2026-11-25T12:00:01Z, size 99, as postbag-2, deleted again 1
	//     7.3, intended, since 2026-11-25T12:00:00Z, failed 3, retry 2026-11-25T13:00:00Z
	// pop3://ann@mail.example INBOX
	//   0 intended, 1 settled, 0 doomed; store …
	//     "\xff \x1b[2J", settled
	// forgotten: 1 of 3
	// forgotten: all 2
	// pop3://ann@mail.example INBOX
	//   0 intended, 1 settled, 0 doomed; store …
	//     "\xff \x1b[2J", settled
}

// call runs the program and returns what it says and its exit code.
func call(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), args, &out, &out)
	return out.String(), code
}

func TestCommands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.ledger")
	if err := makeLedger(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.ReplaceAll(whole, []byte("postbag-2"), []byte("postbag-3"))
	write := func(name string, data []byte) string {
		p := filepath.Join(filepath.Dir(path), name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	bad, new1, new2 := write("bad", damaged), path+".1", path+".2"
	held := write("held", whole)
	l, err := disk.OpenLedger(held)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "usage"},
		{[]string{"json", path}, 2, "usage"},
		{[]string{"dump"}, 2, "usage"},
		{[]string{"burn", path}, 2, "usage"},
		{[]string{"check", bad}, 1, "damaged"},
		{[]string{"dump", bad}, 1, "damaged"},
		{[]string{"compact", bad}, 1, "damaged"},
		{[]string{"check", path + ".none"}, 1, "no such file"},
		{[]string{"forget", path + ".none", "a", "b"}, 1, "no such file"},
		{[]string{"check", held}, 4, "in use"},
		{[]string{"compact", held}, 4, "in use"},
		{[]string{"repair", bad, new1}, 1, "imap://ann@mail.example INBOX: 2 records, 1 lost"},
		{[]string{"check", new1}, 0, "whole"},
		{[]string{"repair", path, new2}, 0, "all was copied"},
		{[]string{"repair", path, new2}, 1, "exists"},
		{[]string{"backup", path, new2 + ".b"}, 0, ""},
		{[]string{"check", new2 + ".b"}, 0, "whole"},
		{[]string{"compact", path}, 0, "octets"},
		{[]string{"forget", path, "nobody", "INBOX"}, 1, "nothing is known of the mailbox"},
		{[]string{"forget", path, inbox.Account, inbox.Mailbox, "7.1", "7.9"}, 1, "nothing was forgotten"},
		{[]string{"dump", path}, 0, "7.1, settled"},
		{[]string{"forget", path, inbox.Account, inbox.Mailbox, "7.1", "7.1"}, 0, "forgotten: 1 of 3"},
	} {
		if out, code := call(t, tt.args...); code != tt.code || !strings.Contains(out, tt.says) {
			t.Errorf("%q: exit %d, %s\nwant %d, %q", tt.args, code, out, tt.code, tt.says)
		}
	}
	if _, err := os.Stat(path + ".none"); err == nil {
		t.Error("a ledger was made that was not there")
	}
	if after, _ := os.ReadFile(bad); !bytes.Equal(after, damaged) {
		t.Error("the damaged file was changed")
	}
}

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.ledger")
	if err := makeLedger(path); err != nil {
		t.Fatal(err)
	}
	out, code := call(t, "dump", path, "-json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 6 {
		t.Fatalf("exit %d, %d lines: %s", code, len(lines), out)
	}
	var box struct {
		Account, Mailbox, Store string
		Cursor                  []byte
		Clock                   retrieval.Clock
		Records                 int
	}
	if err := json.Unmarshal([]byte(lines[0]), &box); err != nil || box.Account != inbox.Account || box.Records != 3 || string(box.Cursor) != "7 1000" || box.Store == "" || box.Clock.Wall.IsZero() {
		t.Errorf("%+v, %v", box, err)
	}
	var rec struct {
		UID    string `json:"uid"`
		Octets []byte `json:"uid_octets"`
		Stage  string
		Size   int64
	}
	if err := json.Unmarshal([]byte(lines[1]), &rec); err != nil || rec.UID != "7.1" || rec.Stage != "settled" || rec.Size != 1234 {
		t.Errorf("%+v, %v", rec, err)
	}
	if err := json.Unmarshal([]byte(lines[5]), &rec); err != nil || string(rec.Octets) != "\xff \x1b[2J" {
		t.Errorf("%+v, %v", rec, err)
	}
}

// All that a ledger knows of a message is dumped: a field more, a word more.
func TestEveryField(t *testing.T) {
	day := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	full := retrieval.Record{
		UID: "7.1", Stage: retrieval.Settled, Ref: "r", Flags: []retrieval.Flag{"f"}, Since: day, Delivered: day, Received: day, Size: 1, Print: retrieval.Print{1},
		Email: "e", Twin: true, Seeded: true, HeaderOnly: true, Due: true, Following: []retrieval.Flag{"g"}, Sending: []retrieval.Flag{"h"}, Vanished: day, Missed: day, Deletes: 1, Attempts: 1, Retry: day,
	}
	inJSON := func(r retrieval.Record) string {
		data, err := json.Marshal(jsonRecord(r))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	all := reflect.ValueOf(full)
	for i := range all.NumField() {
		name := all.Type().Field(i).Name
		less := full
		reflect.ValueOf(&less).Elem().Field(i).SetZero()
		if all.Field(i).IsZero() || inJSON(less) == inJSON(full) {
			t.Errorf("the JSON does not tell %s", name)
		}
		if line(less) == line(full) && !slices.Contains([]string{"Since", "Received", "Print", "Retry"}, name) {
			t.Errorf("the dump does not tell %s", name)
		}
	}
}
