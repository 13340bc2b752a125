package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"example.com/postbag/message"
)

// saver writes attachments into a directory and nowhere else, and over
// nothing.
type saver struct {
	root *os.Root
	next map[string]int // numbers to go on with, by name
}

func newSaver(dir string) (*saver, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &saver{root, make(map[string]int)}, nil
}

func (s *saver) close() { s.root.Close() }

// create creates the file of an attachment, with a number in its name if there
// is one of that name.
func (s *saver) create(p *message.Part) (*os.File, error) {
	name := p.Filename
	if name == "" {
		name = message.Filename("part-" + p.Path + extension(p.Type))
	}
	for n := max(s.next[name], 1); ; n++ {
		try := name
		if n > 1 {
			ext := path.Ext(name)
			try = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
		}
		f, err := s.root.OpenFile(try, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		s.next[name] = n + 1
		return f, err
	}
}

// extension is for parts that have no name.
func extension(typ string) string {
	switch typ {
	case "message/rfc822", "message/global":
		return ".eml"
	case "text/html":
		return ".html"
	case "text/calendar":
		return ".ics"
	case "image/jpeg":
		return ".jpg"
	case "image/png", "image/gif", "application/pdf":
		return "." + path.Base(typ)
	}
	if strings.HasPrefix(typ, "text/") || strings.HasPrefix(typ, "message/") {
		return ".txt"
	}
	return ".bin"
}
