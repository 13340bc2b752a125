package disk

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/postbag/retrieval"
)

const (
	// A folder whose time stamp is younger than that may have been changed
	// since without showing it.
	stampAge = time.Second

	// inventories is how often the folders are read at most.
	inventories = 5
)

// Owns implements [retrieval.Inventory].
func (d *Maildir) Owns(_ retrieval.Box, ref string) bool { return isOurs(ref) }

// Copies implements [retrieval.Inventory]. The flags are the letters of the
// file names; a file with the letter T is marked as deleted, and so was removed
// here. What was moved out of the Maildir was removed, too. It tells of all
// mailboxes that were delivered here.
//
// A mail program that renames a file just then may hide it from whoever reads
// the folder. So the folders are read until nothing has changed meanwhile, five
// times at most, and a message is only missing if it was every time. If one of
// the folders is not there, that is an error.
func (d *Maildir) Copies(ctx context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	return d.own.Copies(ctx, box)
}

// Keeps implements [retrieval.Inventory]: it keeps the flags that have a letter.
func (d *Maildir) Keeps(f retrieval.Flag) bool { return hasLetter(f) }

// ChangeFlags implements [retrieval.Inventory].
func (d *Maildir) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (newRef string, err error) {
	return d.own.ChangeFlags(ctx, ref, add, remove)
}

// Owns is [Maildir.Owns].
func (b *MaildirBatch) Owns(_ retrieval.Box, ref string) bool { return isOurs(ref) }

// Copies is [Maildir.Copies].
func (b *MaildirBatch) Copies(ctx context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	all, err := b.d.inventory(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	for name, item := range b.byName {
		all[name] = letterFlags(item.letters)
	}
	return all, nil
}

// Keeps is [Maildir.Keeps].
func (b *MaildirBatch) Keeps(f retrieval.Flag) bool { return hasLetter(f) }

// ChangeFlags is [Maildir.ChangeFlags].
func (b *MaildirBatch) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (newRef string, err error) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	added, removed := letters(add), letters(remove)
	err = b.relabel(ref, func(old string) string {
		kept := strings.Map(func(c rune) rune {
			if strings.ContainsRune(removed, c) {
				return -1
			}
			return c
		}, old)
		return mergeLetters(kept, added+kept)
	})
	if err != nil {
		return "", wrap(err)
	}
	return ref, nil
}

func (d *Maildir) inventory(ctx context.Context) (map[string][]retrieval.Flag, error) {
	if d.closed {
		return nil, fs.ErrClosed
	}
	all := make(map[string][]retrieval.Flag)
	known := make(map[string][]retrieval.Flag) // by letters: few lists for many messages
	for range inventories {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		before, err := stamps(d.dir)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		found := make(map[string]string, len(all)) // letters, by name
		for _, sub := range []string{"new", "cur"} {
			err := eachName(filepath.Join(d.dir, sub), func(file string) error {
				name, letters, ok := splitName(file)
				if !ok {
					return nil
				}
				if was, twice := found[name]; !twice || strings.Contains(was, "T") {
					found[name] = letters
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		for name, letters := range found {
			flags, ok := known[letters]
			if !ok {
				flags = letterFlags(letters)
				known[letters] = flags
			}
			all[name] = flags
		}
		after, err := stamps(d.dir)
		if err != nil {
			return nil, err
		}
		if slices.EqualFunc(before, after, time.Time.Equal) && start.Sub(slices.MaxFunc(after, time.Time.Compare)) > stampAge {
			break
		}
	}
	return all, nil
}

// stamps returns when entries of new and cur were changed last.
func stamps(dir string) ([]time.Time, error) {
	var stamps []time.Time
	for _, sub := range []string{"new", "cur"} {
		fi, err := os.Stat(filepath.Join(dir, sub))
		if err != nil {
			return nil, err
		}
		stamps = append(stamps, fi.ModTime())
	}
	return stamps, nil
}

func hasLetter(f retrieval.Flag) bool {
	_, ok := flagLetters[strings.ToLower(string(f))]
	return ok
}

// lettered are the flags that have letters, as flagLetters is spelled in RFCs.
var lettered = map[byte]retrieval.Flag{
	'D': retrieval.FlagDraft,
	'F': retrieval.FlagFlagged,
	'P': retrieval.FlagForwarded,
	'R': retrieval.FlagAnswered,
	'S': retrieval.FlagSeen,
	'T': retrieval.FlagDeleted,
}

// letterFlags returns the flags that letters stand for.
func letterFlags(letters string) []retrieval.Flag {
	var flags []retrieval.Flag
	for _, c := range slices.Sorted(maps.Keys(lettered)) {
		if strings.IndexByte(letters, c) >= 0 {
			flags = append(flags, lettered[c])
		}
	}
	return flags
}
