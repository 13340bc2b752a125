package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

func TestSetFlagsUnlessChanged(t *testing.T) {
	flags := []string{`\Seen`, "$Done"}
	for _, tt := range []struct {
		name   string
		script []string
		want   string
	}{
		{"all done", []string{"C: a1 UID STORE 1:3 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Done)", "S: * 1 FETCH (UID 1 MODSEQ (13))", "S: a1 OK"}, ""},
		{"some changed", []string{"C: a1 UID STORE 1:3 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Done)", "S: a1 OK [MODIFIED 3,1] Conditional STORE failed"}, "1,3"},
		{"some changed, others gone", []string{"C: a1 UID STORE 1:3 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Done)", "S: a1 NO [MODIFIED 2] gone"}, "2"},
		{"others are named", []string{"C: a1 UID STORE 1:3 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Done)", "S: a1 OK [MODIFIED 2:4294967295] no"}, "2:3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, "CONDSTORE", lines(tt.script...))
			changed, err := c.SetFlagsUnlessChanged(t.Context(), 12, imapclient.AddFlags, flags, imapclient.Range(1, 3))
			if err != nil || changed.String() != tt.want {
				t.Errorf("changed are %v, %v, want %s", changed, err, tt.want)
			}
		})
	}
}

func TestSetFlagsUnlessChangedErrors(t *testing.T) {
	c := selected(t, "", "")
	before := c.Stats().Out
	_, err := c.SetFlagsUnlessChanged(t.Context(), 12, imapclient.AddFlags, []string{`\Seen`}, imapclient.UIDs(1))
	wants(t, "without CONDSTORE", err, errors.ErrUnsupported)
	c2 := selected(t, "CONDSTORE", lines("C: a1 UID STORE 1 (UNCHANGEDSINCE 12) FLAGS.SILENT ()", "S: a1 OK [MODIFIED x] no", "C: a2 UID STORE 1 (UNCHANGEDSINCE 12) FLAGS.SILENT ()", "S: a2 NO [NOPERM] no",
		"C: a3 NOOP", "S: a3 OK"))
	for since, flags := range map[uint64]string{0: `\Seen`, 1 << 63: `\Seen`, 5: "a b", 6: "a\r\nb"} {
		if _, err := c2.SetFlagsUnlessChanged(t.Context(), since, imapclient.AddFlags, []string{flags}, imapclient.UIDs(1)); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("since %d, %q: %v", since, flags, err)
		}
	}
	if c.Stats().Out != before {
		t.Error("something was written")
	}
	_, err = c2.SetFlagsUnlessChanged(t.Context(), 12, imapclient.ReplaceFlags, nil, imapclient.UIDs(1))
	wants(t, "a code that is none", err, imapclient.ErrProtocol)
	_, err = c2.SetFlagsUnlessChanged(t.Context(), 12, imapclient.ReplaceFlags, nil, imapclient.UIDs(1))
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Code != "NOPERM" {
		t.Errorf("a refusal: %v", err)
	}
	_, err = c2.Noop(t.Context())
	wants(t, "Noop", err, nil)
}

func TestCopy(t *testing.T) {
	for _, tt := range []struct{ name, end, want string }{
		{"COPYUID", "OK [COPYUID 38505 304,319:320 3956:3958] Done", "38505 304,319:320 3956 3957 3958 0"},
		{"in another order", "OK [COPYUID 38505 319:320,304 3957,3958,3956]", "38505 304,319:320 3956 3957 3958 0"},
		{"in ranges that do not match", "OK [copyuid 38505 304,319:320 3956,3957,3958]", "38505 304,319:320 3956 3957 3958 0"},
		{"without end", "OK [COPYUID 5 1:4294967295 1:4294967295]", "5 1:* 304 319 320 5"},
		{"not told", "OK done", "0  0 0 0 0"},
		{"QUIRK: Cyrus's proxy", "OK [COPYUID 1609459200 41] Completed", "0  0 0 0 0"},
		{"QUIRK: Outlook.com", "OK [COPYUID 14  ]", "0  0 0 0 0"},
		{"QUIRK: no validity", "OK [COPYUID 0 304 41] done", "0  0 0 0 0"},
		{"more than there are", "OK [COPYUID 5 304,319:320 1:2]", "0  0 0 0 0"},
		{"fewer than there are", "OK [COPYUID 5 304 1:2]", "0  0 0 0 0"},
		{"no sets", "OK [COPYUID 5 a b]", "0  0 0 0 0"},
		{"everything", "OK [COPYUID 5 * *]", "0  0 0 0 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, "UIDPLUS", lines(`C: a1 UID COPY 304,319:320 "Archive"`, "S: a1 "+tt.end))
			d, err := c.Copy(t.Context(), imapclient.UIDs(304, 319, 320), "Archive")
			if got := fmt.Sprint(d.UIDValidity, " ", d.Sources(), " ", d.UID(304), " ", d.UID(319), " ", d.UID(320), " ", d.UID(5)); err != nil || got != tt.want {
				t.Errorf("%s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestCopyRefused(t *testing.T) {
	c := selected(t, "", lines(`C: a1 UID COPY 1 "none"`, "S: a1 NO [TRYCREATE] no", `C: a2 UID COPY 1 "full"`, "S: a2 NO [OVERQUOTA] no"))
	_, err := c.Copy(t.Context(), imapclient.UIDs(1), "none")
	wants(t, "Copy", err, imapclient.ErrNoMailbox)
	_, err = c.Copy(t.Context(), imapclient.UIDs(1), "full")
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Code != "OVERQUOTA" || e.Command != "UID COPY" {
		t.Errorf("Copy = %v", err)
	}
	_, err = c.Copy(t.Context(), imapclient.Set{}, "x") // of nothing
	wants(t, "Copy", err, nil)
}

func TestMove(t *testing.T) {
	const store = "C: a2 UID STORE 1:3 +FLAGS.SILENT (\\Deleted)"
	emulate := &imapclient.MoveOptions{EmulateExpunge: true}
	for _, tt := range []struct {
		name, extensions string
		o                *imapclient.MoveOptions
		script           []string
		copied           string
		err              error
	}{
		{"MOVE", "MOVE", nil, []string{`C: a1 UID MOVE 1:3 "to"`, "S: * OK [COPYUID 5 1:3 11:13] moved", "S: * 1 EXPUNGE", "S: * VANISHED 2:3", "S: a1 OK done"}, "5 1:3", nil},
		{"IMAP4rev2", "IMAP4rev2", nil, []string{`C: a1 UID MOVE 1:3 "to"`, "S: a1 OK [COPYUID 5 1:3 11:13] done"}, "5 1:3", nil},
		{"QUIRK: Exchange", "MOVE", nil, []string{`C: a1 UID MOVE 1:3 "to"`, "S: * [COPYUID 5 1:3 11:13] ", "S: * OK [COPYUID 14  ]", "S: a1 OK done"}, "5 1:3", nil},
		{"MOVE refused", "MOVE UIDPLUS", emulate, []string{`C: a1 UID MOVE 1:3 "to"`, "S: a1 NO [TRYCREATE] no"}, "", imapclient.ErrNoMailbox},
		{"UIDPLUS", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK [COPYUID 5 1:3 11:13]", store, "S: a2 OK", "C: a3 UID EXPUNGE 1:3", "S: * 1 EXPUNGE", "S: a3 OK"}, "5 1:3", nil},
		{"UIDPLUS, without COPYUID", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID EXPUNGE 1:3", "S: a3 OK"}, "0 ", nil},
		{"UIDPLUS, not all copied", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK [COPYUID 5 1,3,77 11:13]", "C: a2 UID STORE 1,3 +FLAGS.SILENT (\\Deleted)", "S: a2 OK", "C: a3 UID EXPUNGE 1,3", "S: a3 OK"}, "5 1,3,77", nil},
		{"COPY refused", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 NO [UNAVAILABLE] no"}, "", imapclient.ErrUnavailable},
		{"STORE refused", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 NO [UNAVAILABLE] no"}, "", imapclient.ErrUnavailable},
		{"EXPUNGE refused", "UIDPLUS", nil, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID EXPUNGE 1:3", "S: a3 NO [UNAVAILABLE] no"}, "", imapclient.ErrUnavailable},
		{"neither", "", nil, nil, "", errors.ErrUnsupported},
		{"emulated", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 1 2 3 7 9", "S: a3 OK",
			"C: a4 UID STORE 7,9 -FLAGS.SILENT (\\Deleted)", "S: a4 OK", "C: a5 EXPUNGE", "S: * 1 EXPUNGE", "S: a5 OK", "C: a6 UID STORE 7,9 +FLAGS.SILENT (\\Deleted)", "S: a6 OK"}, "0 ", nil},
		{"emulated, no others marked", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 1 2 3", "S: a3 OK", "C: a5 EXPUNGE", "S: a5 OK"}, "0 ", nil},
		{"emulated, marked by nobody", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 7", "S: a3 OK"}, "0 ", nil},
		{"emulated, the search fails", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 1 x", "S: a3 OK"}, "", imapclient.ErrProtocol},
		{"emulated, the others stay marked", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 1 2 3 7 9", "S: a3 OK",
			"C: a4 UID STORE 7,9 -FLAGS.SILENT (\\Deleted)", "S: a4 NO [UNAVAILABLE] no", "C: a6 UID STORE 7,9 +FLAGS.SILENT (\\Deleted)", "S: a6 OK"}, "", imapclient.ErrUnavailable},
		{"emulated, the expunge fails", "", emulate, []string{`C: a1 UID COPY 1:3 "to"`, "S: a1 OK", store, "S: a2 OK", "C: a3 UID SEARCH DELETED", "S: * SEARCH 1 2 3 7 9", "S: a3 OK",
			"C: a4 UID STORE 7,9 -FLAGS.SILENT (\\Deleted)", "S: a4 OK", "C: a5 EXPUNGE", "S: a5 NO [UNAVAILABLE] no", "C: a6 UID STORE 7,9 +FLAGS.SILENT (\\Deleted)", "S: a6 OK"}, "", imapclient.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, tt.extensions, lines(append(tt.script, "C: b1 NOOP", "S: b1 OK")...))
			d, err := c.Move(t.Context(), imapclient.Range(1, 3), "to", tt.o)
			if wants(t, "Move", err, tt.err); err == nil && fmt.Sprint(d.UIDValidity, " ", d.Sources()) != tt.copied {
				t.Errorf("copied are %v %v, want %s", d.UIDValidity, d.Sources(), tt.copied)
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

// A message that arrives after the copy is not expunged with those copied.
func TestMoveOpenSet(t *testing.T) {
	c := selected(t, "UIDPLUS", lines("C: a1 UID SEARCH UID 90:4294967295", "S: * SEARCH 95 101", "S: a1 OK", `C: a2 UID COPY 95,101 "to"`, "S: * 5 EXISTS", "S: a2 OK",
		"C: a3 UID STORE 95,101 +FLAGS.SILENT (\\Deleted)", "S: a3 OK", "C: a4 UID EXPUNGE 95,101", "S: a4 OK"))
	_, err := c.Move(t.Context(), imapclient.Range(90, 1<<32-1), "to", nil)
	wants(t, "Move", err, nil)
	c = selected(t, "UIDPLUS", lines("C: a1 UID SEARCH UID 1:*", "S: * SEARCH", "S: a1 OK"))
	_, err = c.Move(t.Context(), imapclient.All(), "to", nil)
	wants(t, "Move of nothing", err, nil)
}

// A mailbox that is open for reading only is not copied from.
func TestMoveReadOnly(t *testing.T) {
	c := examined(t, "")
	before := c.Stats().Out
	if _, err := c.Move(t.Context(), imapclient.UIDs(1), "to", nil); err == nil || c.Stats().Out != before {
		t.Errorf("Move = %v, %d octets", err, c.Stats().Out-before)
	}
}

func TestExpungeEmulated(t *testing.T) {
	c := selected(t, "UIDPLUS", lines("C: a1 UID EXPUNGE 1,5", "S: a1 OK"))
	wants(t, "with UIDPLUS", c.ExpungeEmulated(t.Context(), 1, 5), nil)
	c = selected(t, "", lines("C: a1 UID SEARCH DELETED", "S: * SEARCH 4294967295 5 6", "S: a1 OK", "C: a2 UID STORE 6,4294967295 -FLAGS.SILENT (\\Deleted)", "S: a2 OK",
		"C: a3 EXPUNGE", "S: * 1 EXPUNGE", "S: a3 OK", "C: a4 UID STORE 6,4294967295 +FLAGS.SILENT (\\Deleted)", "S: a4 OK", "C: a5 NOOP", "S: a5 OK"))
	wants(t, "without", c.ExpungeEmulated(t.Context(), 1, 5), nil)
	a, err := c.Noop(t.Context())
	if err != nil || a.Expunged != 1 || a.Messages != 3 {
		t.Errorf("Noop = %+v, %v", a, err)
	}
}

// Long sets are copied and moved in parts.
func TestMoveLongSet(t *testing.T) {
	var uids []uint32
	for uid := uint32(100_001); uid < 104_001; uid += 2 {
		uids = append(uids, uid)
	}
	var commands []string
	c, err := newScripted(t, func(line string) []string {
		f := strings.Fields(line)
		if len(line) > 8192 {
			t.Errorf("a line of %d octets", len(line))
		}
		commands = append(commands, f[2])
		switch f[2] {
		case "SEARCH":
			return []string{"* SEARCH " + strings.ReplaceAll(f[4], ",", " "), f[0] + " OK"}
		case "COPY":
			return []string{f[0] + " OK [COPYUID 5 " + f[3] + " " + f[3] + "]"}
		}
		return []string{f[0] + " OK"}
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, move := range map[string]func() (imapclient.Copied, error){
		"[COPY COPY]": func() (imapclient.Copied, error) { return c.Copy(t.Context(), imapclient.UIDs(uids...), "to") },
		"[SEARCH SEARCH COPY STORE EXPUNGE COPY STORE EXPUNGE]": func() (imapclient.Copied, error) {
			return c.Move(t.Context(), imapclient.UIDs(uids...), "to", nil)
		},
	} {
		commands = nil
		d, err := move()
		if err != nil || fmt.Sprint(commands) != what || d.UID(uids[0]) != uids[0] || d.UID(uids[1999]) != uids[1999] {
			t.Errorf("%v, %v, want %s", commands, err, what)
		}
	}
}
