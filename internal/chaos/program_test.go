package chaos_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A file is one that is in a folder's new or cur.
type file struct {
	path    string
	id      string // empty: not within its first octets
	letters string
}

// name is the file's name without letters.
func (f *file) name() string {
	name, _, _ := strings.Cut(filepath.Base(f.path), ":2,")
	return name
}

// box is the mailbox of a folder of a Maildir++; its own is INBOX.
func (f *file) box() string {
	folder := filepath.Base(filepath.Dir(filepath.Dir(f.path)))
	if name, ok := strings.CutPrefix(folder, "."); ok {
		return name
	}
	return "INBOX"
}

// filesIn lists what is in the folders of the given names, such as new and cur, at
// any depth. What goes away meanwhile is left out.
func filesIn(dir string, subs ...string) ([]file, error) {
	var all []file
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() || !slices.Contains(subs, filepath.Base(filepath.Dir(path))):
			return nil
		}
		_, letters, _ := strings.Cut(d.Name(), ":2,")
		all = append(all, file{path: path, letters: letters})
		return nil
	})
	return all, err
}

// read reads who the file is.
func (f *file) read() error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	head := make([]byte, 200)
	n, err := r.Read(head)
	f.id = idOf(head[:n])
	return err
}

// program is a mail program that works on the folders of those whose changes are
// carried to the server.
type program struct {
	people map[string]*person
	counts *counts
}

// act does something to one message in a folder.
func (g *program) act(dir string, rng *rand.Rand) error {
	all, err := filesIn(dir, "new", "cur")
	if err != nil || len(all) == 0 {
		return err
	}
	f := all[rng.IntN(len(all))]
	if f.read() != nil {
		return nil // it went away
	}
	p := g.people[userIn(f.id)]
	if p == nil {
		return nil // the check will tell
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.mails[f.id]
	if m == nil {
		return nil
	}
	if rng.IntN(4) > 0 {
		flag := rng.IntN(3)
		g.flip(&f, m, []string{"S", "P", "D"}[flag], []string{`\Seen`, "$Forwarded", `\Draft`}[flag])
	} else if !m.anchor {
		g.remove(p, &f, m, rng.IntN(2) == 0, rng.IntN(3) == 0)
	}
	return nil
}

// flip gives a file a letter, or takes it away.
func (g *program) flip(f *file, m *mail, letter, flag string) {
	on := !strings.Contains(f.letters, letter)
	letters := strings.ReplaceAll(f.letters, letter, "")
	if on {
		letters += letter
	}
	if g.rename(f, letters) != nil {
		return
	}
	m.flags[flag] = on
	if flag == `\Draft` {
		m.bothWays[flag] = true
	}
	g.counts.flaggedHere.Add(1)
}

func (g *program) rename(f *file, letters string) error {
	set := strings.Split(letters, "")
	slices.Sort(set)
	to := filepath.Join(filepath.Dir(filepath.Dir(f.path)), "cur", f.name()+":2,"+strings.Join(set, ""))
	return os.Rename(f.path, to)
}

// remove removes a file, or marks it as removed. Two looks, between which a run
// over the account went well, tell that the message is settled: then the removal
// has to reach the server.
func (g *program) remove(p *person, f *file, m *mail, byMark, atOnce bool) {
	if m.seenAt == 0 {
		m.seenAt = p.ok.Load() + 1
		if !atOnce {
			return
		}
	}
	settled := p.ok.Load() > m.seenAt
	if byMark && strings.Contains(f.letters, "T") {
		return
	}
	was := m.removed
	m.removed = true
	var err error
	if byMark {
		err = g.rename(f, f.letters+"T")
	} else {
		err = os.Remove(f.path)
	}
	if err != nil {
		return
	}
	if !was {
		m.surely = settled
	}
	g.counts.removedHere.Add(1)
}
