// Ledger shows and mends the files in which package disk remembers what was
// delivered.
//
//	ledger dump [-json] FILE                       what it knows of each mailbox and message
//	ledger check FILE                              whether it is whole
//	ledger repair FILE NEW                         copy what can be read to a new file
//	ledger compact FILE                            give back the room of what was forgotten
//	ledger backup FILE NEW                         copy it as it is
//	ledger forget FILE ACCOUNT MAILBOX [UID…]      these messages, or the whole mailbox, count as new
//
// ACCOUNT and MAILBOX are what dump prints. The mailbox "" is the account itself,
// of which the ledger knows what was received in the last hours. The exit code
// is 0 if all is well, 1 if it is not, 2 for a wrong call, and 4 while another
// process has the file.
//
// # When a ledger is lost
//
// Put the last backup in its place, or begin anew with none: mail that is
// still in the Maildir is not delivered twice, but retrieval.Run stops with
// retrieval.ErrStateLost until the account's Reset says what is to be done. Of
// a damaged one repair saves what it can, and says what it could not.
//
// # When the mail is lost
//
// A ledger that says "settled" believes it: a message that was removed from
// the Maildir is not delivered again, because people remove mail. Who has put
// an older copy of a Maildir back has the messages since delivered again, if
// they are still on the server, by putting back the ledger of the same day, or
// by forget.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

const usage = `usage: ledger dump [-json] FILE
       ledger check FILE
       ledger repair FILE NEW
       ledger compact FILE
       ledger backup FILE NEW
       ledger forget FILE ACCOUNT MAILBOX [UID...]
`

// commands are called with their arguments, FILE first.
var commands = map[string]struct {
	min, max int // arguments
	do       func(ctx context.Context, w io.Writer, args []string) error
}{
	"dump":    {1, 1, dump},
	"json":    {1, 1, dumpJSON},
	"check":   {1, 1, check},
	"repair":  {2, 2, repair},
	"compact": {1, 1, compact},
	"backup":  {2, 2, backup},
	"forget":  {3, 1 << 20, forget},
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	name, rest := args[0], args[1:]
	for i, arg := range rest {
		if name == "dump" && arg == "-json" {
			name, rest = "json", append(rest[:i:i], rest[i+1:]...)
			break
		}
	}
	c, ok := commands[name]
	if !ok || args[0] == "json" || len(rest) < c.min || len(rest) > c.max {
		fmt.Fprint(stderr, usage)
		return 2
	}
	err := c.do(ctx, stdout, rest)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, retrieval.ErrLocked):
		fmt.Fprintln(stderr, err)
		return 4
	}
	fmt.Fprintln(stderr, err)
	return 1
}

func check(ctx context.Context, w io.Writer, args []string) error {
	l, err := disk.ReadLedger(args[0]) // it reads all of it
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "whole")
	return l.Close()
}

// change does something with a ledger that is open for writing.
func change(path string, do func(*disk.Ledger) error) error {
	if _, err := os.Stat(path); err != nil {
		return err // OpenLedger would make a new one
	}
	l, err := disk.OpenLedger(path)
	if err != nil {
		return err
	}
	return errors.Join(do(l), l.Close())
}

func compact(ctx context.Context, w io.Writer, args []string) error {
	before, err := os.Stat(args[0])
	if err != nil {
		return err
	}
	if err := change(args[0], func(l *disk.Ledger) error { return l.Compact(ctx) }); err != nil {
		return err
	}
	after, err := os.Stat(args[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d octets, before %d\n", after.Size(), before.Size())
	return nil
}

func backup(ctx context.Context, w io.Writer, args []string) error {
	l, err := disk.ReadLedger(args[0])
	if err != nil {
		return err
	}
	return errors.Join(l.Backup(ctx, args[1]), l.Close())
}

func forget(ctx context.Context, w io.Writer, args []string) error {
	box := retrieval.Box{Account: args[1], Mailbox: args[2]}
	return change(args[0], func(l *disk.Ledger) error {
		p, err := l.Open(ctx, box)
		if err != nil {
			return err
		}
		defer p.Close()
		st, err := p.Load(ctx)
		if err != nil {
			return err
		}
		if len(st.Records)+len(st.Hours) == 0 && st.Cursor == nil {
			return fmt.Errorf("nothing is known of the mailbox %q of %q", box.Mailbox, box.Account)
		}
		if len(args) == 3 {
			p.Close()
			fmt.Fprintf(w, "forgotten: all %d\n", len(st.Records))
			return l.Forget(ctx, box)
		}
		ch := retrieval.Change{Cursor: []byte{}} // what is new is found in a full listing only
		for _, uid := range args[3:] {
			if _, ok := st.Records[retrieval.UID(uid)]; !ok {
				return fmt.Errorf("nothing is known of %q, and nothing was forgotten", uid)
			}
			if !slices.Contains(ch.Forget, retrieval.UID(uid)) {
				ch.Forget = append(ch.Forget, retrieval.UID(uid))
			}
		}
		if err := p.Update(ctx, ch); err != nil {
			return err
		}
		fmt.Fprintf(w, "forgotten: %d of %d\n", len(ch.Forget), len(st.Records))
		return nil
	})
}

func repair(ctx context.Context, w io.Writer, args []string) error {
	rep, err := disk.Repair(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	for _, p := range rep.Problems {
		fmt.Fprintln(w, "problem:", p)
	}
	whole := rep.LostBoxes == 0 && rep.SameStore
	for _, b := range rep.Boxes {
		fmt.Fprintf(w, "%s %s: %d records", printable(b.Box.Account), printable(b.Box.Mailbox), b.Records)
		if b.Lost != 0 {
			fmt.Fprintf(w, ", %s lost: their messages count as new", count(b.Lost))
		}
		if b.Older > 0 {
			fmt.Fprintf(w, ", %d of them as they were before the last change", b.Older)
		}
		if b.CursorLost {
			fmt.Fprint(w, ", the next listing is a full one")
		}
		fmt.Fprintln(w)
		whole = whole && b.Lost == 0 && b.Older == 0
	}
	if rep.LostBoxes != 0 {
		fmt.Fprintf(w, "%s mailboxes are lost\n", count(rep.LostBoxes))
	}
	if !rep.SameStore {
		fmt.Fprintln(w, "the identity is lost: a Maildir takes the new file for another ledger, and the account's Reset decides")
	}
	if !whole {
		return fmt.Errorf("%s does not hold all that %s did", args[1], args[0])
	}
	fmt.Fprintln(w, "all was copied")
	return nil
}

func count(n int) string {
	if n < 0 {
		return "an unknown number"
	}
	return fmt.Sprint(n)
}
