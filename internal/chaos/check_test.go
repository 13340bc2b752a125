package chaos_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// verdict is what is not as it must be.
type verdict struct {
	files    map[string][]file // by id
	messages int               // on both sides, each once
	debris   int               // files in tmp, of messages that were never delivered
	bad      []string
}

func (v *verdict) is(format string, args ...any) { v.bad = append(v.bad, fmt.Sprintf(format, args...)) }

// readAll reads all that is in the folders. Each file has to be a message that
// somebody sent, to the octet, in the folder of its box.
func (v *verdict) readAll(s *stage) error {
	v.files = make(map[string][]file)
	all, err := filesIn(s.task.Dir, "new", "cur")
	if err != nil {
		return err
	}
	names := make(map[string]bool)
	for _, f := range all {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		f.id = idOf(text)
		p := s.people[userIn(f.id)]
		if p == nil || p.mails[f.id] == nil {
			v.is("%s, of %d octets, is no message that was sent (%q)", f.path, len(text), f.id)
			continue
		}
		m := p.mails[f.id]
		if m.sum != sha256.Sum256(text) {
			v.is("%s: %s has not the octets that were sent", f.id, f.path)
		}
		if want := s.task.folderOf(p.index); !strings.HasPrefix(f.path, want+string(filepath.Separator)) || f.box() != m.box {
			v.is("%s is in %s", f.id, f.path)
		}
		names[f.name()] = true
		v.files[f.id] = append(v.files[f.id], f)
	}
	left, err := filesIn(s.task.Dir, "tmp")
	for _, f := range left {
		name, _, _ := strings.Cut(filepath.Base(f.path), ".")
		if names[name] {
			v.is("%s was left behind, and is delivered", f.path)
		}
		v.debris++
	}
	return err
}

// person compares both sides of an account.
func (v *verdict) person(ctx context.Context, s *stage, p *person) error {
	there := make(map[string][]found)
	for _, box := range append(p.boxes(), "Trash") {
		all, err := s.second.look(ctx, p, box)
		if err != nil {
			return err
		}
		for _, f := range all {
			key := f.id
			if box == "Trash" {
				key = "Trash " + f.id
			}
			there[key] = append(there[key], f)
		}
		if box == "INBOX" {
			v.retained(p, all)
		}
	}
	for id := range there {
		if name := strings.TrimPrefix(id, "Trash "); p.mails[name] == nil {
			v.is("%s: on the server is %q, which nobody sent", p.user, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.mails)) {
		m := p.mails[id]
		v.mail(p, m, v.files[id], there[id], len(there["Trash "+id]))
		if len(v.files[id])+len(there[id]) > 0 {
			v.messages++
		}
	}
	return nil
}

// mail looks at one message: its files here, and what is there.
func (v *verdict) mail(p *person, m *mail, here []file, there []found, thrown int) {
	bad := func(format string, args ...any) {
		v.is("%s (%s): %s; %v", m.id, p.role.name, fmt.Sprintf(format, args...), m)
	}
	if len(here) > 1 || len(there) > 1 || thrown > 1 {
		bad("it is %d times here, %d times there, %d times in Trash", len(here), len(there), thrown)
		return
	}
	isHere, isThere := len(here) == 1, len(there) == 1
	switch {
	case m.foreign:
		if isHere || !isThere {
			bad("a foreign message is here: %v, there: %v", isHere, isThere)
		}
	case p.role.syncs():
		v.synced(p, m, isHere, isThere, thrown, bad)
	case !isHere && (!m.deleted || m.wasHere):
		bad("it is lost")
	}
	if !m.foreign && m.deleted && isThere {
		bad("it was deleted, and is there")
	}
	if isThere && !m.foreign && !p.role.syncs() {
		v.left(p, m, bad)
	}
	if isThere {
		v.flags(p, m, here, there[0].flags, bad)
	}
}

// synced is about a message of an account that keeps both sides in step.
func (v *verdict) synced(p *person, m *mail, isHere, isThere bool, thrown int, bad func(string, ...any)) {
	trash := p.role.upstream.Trash != ""
	switch {
	case isHere != isThere:
		bad("here: %v, there: %v", isHere, isThere)
	case !isThere && !m.deleted && !m.removed:
		bad("nobody removed it, and it is gone; in Trash: %d", thrown)
	case isThere && m.surely && !m.flagged:
		bad("it was removed here, and is back")
	case thrown > 0 && (!trash || !m.removed):
		bad("it is in Trash, where nobody moved it")
	case trash && !isThere && !m.deleted && thrown == 0:
		bad("it was removed, and is not in Trash")
	}
}

// left is about a message that is still there.
func (v *verdict) left(p *person, m *mail, bad func(string, ...any)) {
	if strings.Contains(p.role.name, "delete") {
		bad("the policy has it deleted, and it is there")
	}
}

// flags compares the flags there with what was done to them, and those here
// with those there.
func (v *verdict) flags(p *person, m *mail, here []file, flags []string, bad func(string, ...any)) {
	has := func(f string) bool {
		return slices.ContainsFunc(flags, func(g string) bool { return strings.EqualFold(f, g) })
	}
	seen := p.role.protocol == retrieval.POP3 && !m.foreign // RETR is reading, says Dovecot
	for flag, on := range m.flags {
		if seen && flag == `\Seen` {
			continue
		}
		if !m.bothWays[flag] && !m.removed && has(flag) != on {
			bad("there it has the flags %q; %s should be %v", flags, flag, on)
		}
	}
	for _, flag := range flags {
		if _, ok := m.flags[flag]; !ok && flag != got && !(seen && flag == `\Seen`) {
			bad("there it has the flags %q; nobody set %s", flags, flag)
		}
	}
	if marks := !m.foreign && len(p.role.after.Flags) > 0; has(got) != marks && len(here) > 0 {
		bad("there it has the flags %q; %s should be %v", flags, got, marks)
	}
	if !p.role.syncs() || len(here) == 0 {
		return
	}
	for letter, flag := range map[string]string{"S": `\Seen`, "F": `\Flagged`, "R": `\Answered`, "D": `\Draft`, "P": "$Forwarded", "T": `\Deleted`} {
		if strings.Contains(here[0].letters, letter) != has(flag) {
			bad("here it has %q, there %q", here[0].letters, flags)
		}
	}
}

// retained is about those who keep the last messages: what is there in the end,
// and what never should have gone.
func (v *verdict) retained(p *person, there []found) {
	if !strings.Contains(p.role.name, "keep") {
		return
	}
	left := make(map[string]bool)
	for i, f := range there {
		left[f.id] = true
		if len(there)-1-i >= kept && !p.mails[f.id].foreign {
			v.is("%s (%s): %d are newer, and it is there", f.id, p.role.name, len(there)-1-i)
		}
	}
	for id, m := range p.mails {
		if p.arrived[m.box]-m.number < kept && !m.deleted && !left[id] {
			v.is("%s (%s): of the newest, and it is gone", id, p.role.name)
		}
	}
}

// ledger looks at the records: nothing is under way.
func (v *verdict) ledger(ctx context.Context, path string) error {
	l, err := disk.OpenLedger(path)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Check(ctx); err != nil {
		v.is("the ledger: %v", err)
	}
	return eachRecord(ctx, l, func(box retrieval.Box, _ retrieval.Page, r retrieval.Record) error {
		if r.Vanished.IsZero() && r.Stage != retrieval.Settled {
			v.is("the ledger has %s %s at stage %v, with %d attempts", box, r.UID, r.Stage, r.Attempts)
		}
		return nil
	})
}

func eachRecord(ctx context.Context, l *disk.Ledger, f func(retrieval.Box, retrieval.Page, retrieval.Record) error) error {
	boxes, err := l.Boxes(ctx)
	if err != nil {
		return err
	}
	for _, box := range boxes {
		page, err := l.Open(ctx, box)
		if err != nil {
			return err
		}
		defer page.Close()
		state, err := page.Load(ctx)
		if err != nil {
			return err
		}
		for _, r := range state.Records {
			if err := f(box, page, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// release has messages tried again now that have failed so often that they would
// be in an hour.
func release(t *testing.T, path string) (n int64) {
	t.Helper()
	l, err := disk.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = eachRecord(t.Context(), l, func(_ retrieval.Box, page retrieval.Page, r retrieval.Record) error {
		if r.Retry.IsZero() {
			return nil
		}
		n++
		r.Attempts, r.Retry = 1, time.Time{}
		return page.Update(t.Context(), retrieval.Change{Put: []retrieval.Record{r}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
