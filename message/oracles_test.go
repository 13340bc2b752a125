package message_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"

	"example.com/postbag/message"
)

// pythonOracle is Python's email package, if there is Python.
func pythonOracle(t *testing.T) func(string, []byte) reading {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("no python3: it was not asked")
		return func(string, []byte) reading { return nil }
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "oracle.py"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	answers := bufio.NewReader(out)
	return func(name string, _ []byte) reading {
		fmt.Fprintln(in, filepath.Join("..", "..", "shared", "corpus", "messages", filepath.FromSlash(name)))
		line, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Subject    *string
			From, To   [][]string
			Date       *int64
			Text, HTML *string
			Files      [][]*string
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		r := make(reading)
		add := func(f string, s *string) {
			if s != nil && !strings.ContainsRune(*s, '\ufffd') {
				r[f] = spaces(*s)
			}
		}
		add("subject", p.Subject)
		add("text", p.Text)
		add("html", p.HTML)
		for f, list := range map[string][][]string{"from": p.From, "to": p.To} {
			if len(list) > 0 {
				var l []message.Address
				for _, a := range list {
					l = append(l, message.Address{Name: a[0], Address: a[1]})
				}
				r[f] = people(l)
			}
		}
		if p.Date != nil {
			r["date"] = strconv.FormatInt(*p.Date, 10)
		}
		if p.Files != nil {
			var names, hashes []string
			for _, f := range p.Files {
				if f[0] == nil {
					return r
				}
				if f[1] != nil {
					names, hashes = append(names, *f[0]), append(hashes, *f[1])
				}
			}
			r["names"], r["hashes"] = strings.Join(names, "\n"), strings.Join(hashes, "\n")
		}
		if r["text"] == "" {
			delete(r, "text") // it makes none of HTML
		}
		return r
	}
}

func beside(name, ending, to string) []byte {
	base, ok := strings.CutSuffix(name, ending)
	if !ok {
		return nil
	}
	b, _ := os.ReadFile(filepath.Join("..", "..", "shared", "corpus", "messages", filepath.FromSlash(base+to)))
	return b
}

// imapToolsOracle is what the test suite of imap_tools expects.
func imapToolsOracle(name string, _ []byte) reading {
	b := beside(name, ".eml", ".expected.json")
	if b == nil {
		return nil
	}
	type address struct{ Name, Email string }
	var want struct {
		Subject, Text, HTML string
		From                *address  `json:"from_values"`
		To                  []address `json:"to_values"`
		Attachments         []struct {
			Filename string
			Type     string `json:"content_type"`
			Payload  struct {
				B []byte `json:"$bytes_b64"`
			}
		}
	}
	if json.Unmarshal(b, &want) != nil {
		return nil
	}
	r := reading{"subject": spaces(want.Subject), "html": lines(want.HTML)}
	if want.Text != "" {
		r["text"] = lines(want.Text)
	}
	list := func(all ...address) string {
		var l []message.Address
		for _, a := range all {
			l = append(l, message.Address{Name: a.Name, Address: a.Email})
		}
		return people(l)
	}
	if want.From != nil {
		r["from"] = list(*want.From)
	}
	r["to"] = list(want.To...)
	var names, hashes []string
	for _, a := range want.Attachments {
		if !strings.HasPrefix(a.Type, "message/") {
			names = append(names, a.Filename)
			hashes = append(hashes, hash(bytes.NewReader(a.Payload.B)))
		}
	}
	r["names"], r["hashes"] = strings.Join(names, "\n"), strings.Join(hashes, "\n")
	return r
}

// goMessageOracle is go-message without its charsets.
func goMessageOracle(_ string, data []byte) reading {
	e, err := gomessage.Read(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	r := make(reading)
	if s, err := e.Header.Text("Subject"); err == nil && e.Header.Has("Subject") {
		r["subject"] = spaces(s)
	}
	var text, html, names, hashes []string
	var walk func(e *gomessage.Entity) error
	walk = func(e *gomessage.Entity) error {
		if mr := e.MultipartReader(); mr != nil {
			for {
				p, err := mr.NextPart()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				if err := walk(p); err != nil {
					return err
				}
			}
		}
		typ, params, err := e.Header.ContentType()
		if err != nil && e.Header.Has("Content-Type") {
			return err
		}
		disp, dparams, _ := e.Header.ContentDisposition()
		name := dparams["filename"]
		if name == "" {
			name = params["name"]
		}
		b, err := io.ReadAll(e.Body)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(typ, "message/"):
		case (typ == "text/plain" || typ == "" || typ == "text/html") && disp != "attachment" && name == "":
			if typ == "text/html" {
				html = append(html, string(b))
			} else {
				text = append(text, string(b))
			}
		default:
			if name, err = new(mime.WordDecoder).DecodeHeader(name); err != nil {
				return err
			}
			names, hashes = append(names, name), append(hashes, hash(bytes.NewReader(b)))
		}
		return nil
	}
	if walk(e) != nil {
		return r
	}
	for f, list := range map[string][]string{"text": text, "html": html} {
		s := strings.Join(list, "\n")
		if strings.ToValidUTF8(s, "") == s && (f == "html" || spaces(s) != "") {
			r[f] = lines(s)
		}
	}
	r["names"], r["hashes"] = strings.Join(names, "\n"), strings.Join(hashes, "\n")
	return r
}

// netMailOracle is the standard library, for header sections.
func netMailOracle(_ string, data []byte) reading {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	r := make(reading)
	if v := m.Header.Get("Subject"); v != "" {
		if s, err := new(mime.WordDecoder).DecodeHeader(v); err == nil && strings.ToValidUTF8(s, "") == s {
			r["subject"] = spaces(s)
		}
	}
	if d, err := m.Header.Date(); err == nil {
		r["date"] = strconv.FormatInt(d.Unix(), 10)
	}
	for f, name := range map[string]string{"from": "From", "to": "To"} {
		if list, err := m.Header.AddressList(name); err == nil && len(m.Header[name]) == 1 {
			var l []message.Address
			for _, a := range list {
				l = append(l, message.Address{Name: a.Name, Address: strings.Trim((&mail.Address{Address: a.Address}).String(), "<>")})
			}
			r[f] = people(l)
		}
	}
	return r
}

// mailcoreOracle is what libetpan, through mailcore2, reads in headers.
func mailcoreOracle(name string, _ []byte) reading {
	rest, ok := strings.CutPrefix(name, "mailcore2/parser/input/")
	if !ok {
		return nil
	}
	b := beside("mailcore2/parser/output/"+rest, "", "")
	type address struct{ DisplayName, Mailbox string }
	var want struct {
		Header struct {
			Subject *string
			Date    string
			From    *address
			To      struct{ Items []address }
		}
	}
	if b == nil || json.Unmarshal(b, &want) != nil {
		return nil
	}
	h := want.Header
	r := make(reading)
	if h.Subject != nil {
		r["subject"] = spaces(*h.Subject)
	}
	if n, err := strconv.ParseInt(h.Date, 10, 64); err == nil && n < 1<<31 { // it takes years like 96 for others
		r["date"] = h.Date
	}
	if h.From != nil {
		r["from"] = people([]message.Address{{Name: h.From.DisplayName, Address: h.From.Mailbox}})
	}
	var l []message.Address
	for _, a := range h.To.Items {
		l = append(l, message.Address{Name: a.DisplayName, Address: a.Mailbox})
	}
	if len(l) > 0 {
		r["to"] = people(l)
	}
	return r
}

// mime4jOracle is what mime4j decodes, in messages within too: of what is not
// text, because it writes texts in other charsets.
func mime4jOracle(name string, _ []byte) reading {
	b := beside(name, ".msg", "_decoded.xml")
	if b == nil {
		return nil
	}
	var hashes []string
	for _, piece := range strings.Split(string(b), "-body name=\"")[1:] {
		file, _, _ := strings.Cut(piece, "\"")
		if strings.HasSuffix(file, ".bin") {
			octets := beside(filepath.ToSlash(filepath.Dir(name))+"/"+file, "", "")
			if octets == nil {
				return nil // not all were copied
			}
			hashes = append(hashes, hash(bytes.NewReader(octets)))
		}
	}
	return reading{"binaries": strings.Join(hashes, "\n")}
}

// binaries returns hashes of the parts that are not text.
func binaries(t *testing.T, data []byte) string {
	m, err := message.Read(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	var hashes []string
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if !p.Container() && !strings.HasPrefix(p.Type, "text/") {
			hashes = append(hashes, hash(p))
		}
	}
	return strings.Join(hashes, "\n")
}
