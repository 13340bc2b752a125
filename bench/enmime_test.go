package bench

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"example.com/postbag/message"
)

// TestEnmime compares with enmime over the corpus: the fields that both read,
// and how many are the same. Where enmime gives up there is nothing to
// compare. Run with -v to see the table, with ENMIME=1 also the differences.
func TestEnmime(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "corpus", "messages")
	same, all := make(map[string]int), make(map[string]int)
	gaveUp := 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".eml", ".msg", ".raw"}, filepath.Ext(path)) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e, err := enmime.NewParser(enmime.DisableTextConversion(true)).ReadEnvelope(bytes.NewReader(data))
		if err != nil {
			gaveUp++
			return nil
		}
		ours, theirs := readOurs(t, data), readEnmime(e)
		for field, v := range theirs {
			all[field]++
			if ours[field] == v {
				same[field]++
			} else if os.Getenv("ENMIME") != "" {
				t.Logf("%s\t%s\n  ours   %.200q\n  theirs %.200q", path, field, ours[field], v)
			}
		}
		return nil
	})
	for _, field := range []string{"subject", "from", "to", "date", "text", "html", "attachments"} {
		t.Logf("%-12s %5d of %5d", field, same[field], all[field])
	}
	t.Logf("enmime gave up on %d messages", gaveUp)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func readOurs(t *testing.T, data []byte) map[string]string {
	m, err := message.Read(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := m.Envelope()
	r := map[string]string{"subject": squeeze(e.Subject), "date": fmt.Sprint(e.Date.Unix())}
	for field, list := range map[string][]message.Address{"from": e.From, "to": e.To} {
		for _, a := range list {
			r[field] += squeeze(a.Name) + "<" + a.Address + ">"
		}
	}
	var files []string
	for p, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Offset < 0 {
			continue
		}
		h := sha256.New()
		io.Copy(h, p)
		files = append(files, fmt.Sprintf("%s %x", p.Filename, h.Sum(nil)[:8]))
	}
	slices.Sort(files)
	r["attachments"] = strings.Join(files, "\n")
	text, _ := m.Text()
	html, _ := m.HTML()
	r["text"], r["html"] = squeeze(text), squeeze(html)
	return r
}

func readEnmime(e *enmime.Envelope) map[string]string {
	r := make(map[string]string)
	if s := e.GetHeader("Subject"); s != "" {
		r["subject"] = squeeze(s)
	}
	if d, err := e.Date(); err == nil {
		r["date"] = fmt.Sprint(d.Unix())
	}
	for field, name := range map[string]string{"from": "From", "to": "To"} {
		list, err := e.AddressList(name)
		if err != nil {
			continue
		}
		for _, a := range list {
			r[field] += squeeze(a.Name) + "<" + a.Address + ">"
		}
	}
	if squeeze(e.Text) != "" {
		r["text"] = squeeze(e.Text)
	}
	r["html"] = squeeze(e.HTML)
	var files []string
	for _, list := range [][]*enmime.Part{e.Attachments, e.Inlines, e.OtherParts} {
		for _, p := range list {
			files = append(files, fmt.Sprintf("%s %x", p.FileName, sha256.Sum256(p.Content))[:len(p.FileName)+17])
		}
	}
	slices.Sort(files)
	r["attachments"] = strings.Join(files, "\n")
	return r
}
