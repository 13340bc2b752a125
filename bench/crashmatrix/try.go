package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// table is one protocol and one mode.
type table struct {
	protocol string
	mode     mode
	rows     []row
}

// row is a fault in a table.
type row struct {
	name, best, note string
	pop              *popFault
	imap             *imapFault
}

func allTables() []*table {
	var tables []*table
	for _, m := range []mode{remove, leave} {
		t := &table{protocol: "pop3", mode: m}
		for _, f := range popFaults {
			if !f.dele || m == remove {
				t.rows = append(t.rows, row{f.name, f.best, f.note, f, nil})
			}
		}
		tables = append(tables, t)
	}
	for _, m := range []mode{remove, leave, follow} {
		t := &table{protocol: "imap", mode: m}
		for _, f := range imapFaults {
			if f.matters(m) {
				t.rows = append(t.rows, row{f.name, f.best, f.note, nil, f})
			}
		}
		tables = append(tables, t)
	}
	return tables
}

// cell is one program with one fault.
type cell struct {
	*table
	row
	program *program
	result  result
}

func (c *cell) name() string {
	return fmt.Sprintf("%s %s/%s/%s", c.protocol, c.mode, c.row.name, c.program.name)
}

func enumerate(tables []*table, programs []*program) []*cell {
	var cells []*cell
	for _, t := range tables {
		for _, r := range t.rows {
			for _, p := range programs {
				if p.can(t) {
					cells = append(cells, &cell{table: t, row: r, program: p})
				}
			}
		}
	}
	return cells
}

// server is what a program talks to.
type server interface {
	serve(net.Conn)
	holds() [][]byte
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// try runs one program into one fault, and then twice more. It does so again
// if the program has failed for another reason.
func (l *lab) try(c *cell) result {
	for n := 1; ; n++ {
		dir := filepath.Join(l.root, unsafeName.ReplaceAllString(c.name(), "-"))
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", dir, n)
		}
		r, err := l.sessions(c, dir)
		if err != nil {
			return result{err: err}
		}
		if c.program.flaw == "" || n == 10 {
			return r
		}
		log, err := os.ReadFile(filepath.Join(dir, logName))
		if err != nil {
			return result{err: err}
		}
		if !bytes.Contains(log, []byte(c.program.flaw)) {
			return r
		}
	}
}

func (l *lab) sessions(c *cell, dir string) (r result, err error) {
	s, err := newSite()
	if err != nil {
		return r, err
	}
	defer s.close()
	var srv server
	if c.pop != nil {
		srv = newPOPServer(s, c.pop)
	} else {
		srv = newIMAPServer(s, c.imap)
	}
	s.open(srv.serve)
	p := place{l, dir, s.port(), c.protocol, c.mode}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return r, err
	}
	args, err := c.program.setup(p)
	if err != nil {
		return r, err
	}
	if err := give(p.dir); err != nil {
		return r, err
	}
	prelude := c.imap != nil && c.imap.prelude(c.mode)
	if prelude {
		s.session--
	}
	for s.session < 3 {
		proc, err := newProcess(p.dir, []string{"FETCHMAILHOME=" + p.dir}, args...)
		if err != nil {
			return r, err
		}
		s.begin(proc)
		e, err := proc.run()
		if err != nil {
			return r, err
		}
		s.hangUpAll()
		r.hang = r.hang || e.hang
		r.died = r.died || e.died
		switch {
		case s.session == 0:
			if err := removeCopy(p.mail(), "m1"); err != nil {
				return r, err
			}
		case s.session == 1 && c.imap != nil && c.imap.after != nil:
			c.imap.after(srv.(*imapServer))
		}
	}
	r.idle = !s.hasStruck() && c.needsStrike()
	got, err := read(p.mail(), s.sent)
	if err != nil {
		return r, err
	}
	r.judge(c, got, s.sent, srv.holds(), prelude)
	return r, nil
}

// needsStrike says whether the fault is at a step that a program may not take.
func (c *cell) needsStrike() bool {
	if c.pop != nil {
		return c.pop.at != nil
	}
	return c.imap.at != "" || len(c.imap.within) > 0
}

func (s *site) hasStruck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// removeCopy deletes a message here, as a user does.
func removeCopy(dir, token string) error {
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{"new", "cur"}, filepath.Base(filepath.Dir(name))) || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil || tokenOf(data) != token {
			return err
		}
		return os.Remove(name)
	})
}
