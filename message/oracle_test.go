package message_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/message"
)

// reading is what a parser reads in a message: by the name of a field, its
// value in a form that can be compared. What a parser cannot read is not in
// it.
type reading map[string]string

var oracleFields = []string{"subject", "from", "to", "date", "text", "html", "names", "hashes", "binaries"}

// oracle is another parser, or what one that is not here has left beside the
// messages. Oracles of one family are one voice.
type oracle struct {
	name, family string
	read         func(name string, data []byte) reading
}

// TestOracles compares with other parsers. Where those that read a field agree
// among themselves, and they are at least two, we are to agree with them, or
// testdata/oracles.tsv says why not. Run with -v to see the table.
func TestOracles(t *testing.T) {
	oracles := []oracle{
		{"python", "python", pythonOracle(t)},
		{"imap_tools", "python", imapToolsOracle},
		{"go-message", "go-message", goMessageOracle},
		{"net/mail", "net/mail", netMailOracle},
		{"mailcore2", "mailcore2", mailcoreOracle},
		{"mime4j", "mime4j", mime4jOracle},
	}
	reasons, used := oracleReasons(t), make(map[string]bool)
	same, all := make(map[string]int), make(map[string]int)
	const agreed = "those agreed"
	unexplained := 0
	messages := 0
	corpus(t, func(name string, data []byte) {
		if !isMessageFile(name) {
			return
		}
		ours := ourReading(t, data)
		if ours == nil {
			return
		}
		messages++
		voices := make(map[string]map[string]string) // by field and family
		for _, o := range oracles {
			for f, v := range o.read(name, data) {
				count(same, all, o.name, f, v == ours[f])
				if voices[f] == nil {
					voices[f] = make(map[string]string)
				}
				if was, ok := voices[f][o.family]; ok && was != v {
					v = "they disagree\x00" + o.name
				}
				voices[f][o.family] = v
			}
		}
		for _, f := range oracleFields {
			v, ok := agreement(voices[f])
			if !ok {
				continue
			}
			count(same, all, agreed, f, v == ours[f])
			if v == ours[f] {
				continue
			}
			reason, ok := reasons[name+"\t"+f]
			used[name+"\t"+f] = true
			if !ok {
				unexplained++
				reason = "?"
			}
			t.Logf("%s\t%s\t%s\n  ours   %.300q\n  theirs %.300q", name, f, reason, ours[f], v)
		}
	})
	if messages == 0 {
		return
	}
	t.Logf("%d messages; of the fields that a parser reads, so many are as we read them:", messages)
	header := fmt.Sprintf("%-14s", "")
	for _, f := range oracleFields {
		header += fmt.Sprintf("%15s", f)
	}
	t.Log(header + fmt.Sprintf("%15s", "all"))
	for _, o := range append(oracles, oracle{name: agreed}) {
		line := fmt.Sprintf("%-14s", o.name)
		s, n := 0, 0
		for _, f := range oracleFields {
			key := o.name + "\t" + f
			line += fmt.Sprintf("%15s", ratio(same[key], all[key]))
			s, n = s+same[key], n+all[key]
		}
		t.Log(line + fmt.Sprintf("%15s", ratio(s, n)))
		if o.name == agreed && s*100 < n*98 {
			t.Errorf("of the fields that other parsers agree on, less than 98 %% are as they read them")
		}
	}
	for key := range reasons {
		if !used[key] && all["python\tsubject"] > 0 { // all oracles were asked
			t.Errorf("testdata/oracles.tsv has a reason for %q, where there is no disagreement", key)
		}
	}
	if unexplained > 0 {
		t.Errorf("%d disagreements have no reason in testdata/oracles.tsv", unexplained)
	}
}

func count(same, all map[string]int, name, field string, equal bool) {
	key := name + "\t" + field
	all[key]++
	if equal {
		same[key]++
	}
}

func ratio(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d %.1f", a, b, 100*float64(a)/float64(b))
}

// agreement returns what all say, if they are at least two.
func agreement(voices map[string]string) (v string, ok bool) {
	first := true
	for _, w := range voices {
		if strings.HasPrefix(w, "they disagree\x00") || !first && w != v {
			return "", false
		}
		v, first = w, false
	}
	return v, len(voices) > 1
}

// oracleReasons reads why we read something else: file, field, reason.
func oracleReasons(t *testing.T) map[string]string {
	b, err := os.ReadFile(filepath.Join("testdata", "oracles.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) == 1 {
			continue
		}
		if len(f) != 3 || f[2] == "" {
			t.Errorf("testdata/oracles.tsv: %q has not three fields", line)
			continue
		}
		reasons[f[0]+"\t"+f[1]] = f[2]
	}
	return reasons
}

func isMessageFile(name string) bool {
	for _, not := range []string{"ARTISTIC-LICENSE", "README", "_decoded", "/parser/output/", "/summary/output/"} {
		if strings.Contains(name, not) {
			return false
		}
	}
	switch filepath.Ext(name) {
	case ".json", ".xml", ".out", ".list", ".golden", ".tnef", ".bin", ".png", ".jpg", ".gif", ".pdf", ".doc", ".rtf", ".html", ".htm", ".ntx", ".md", ".org", ".zip", ".tar", ".wav", ".webp":
		return false
	}
	return true
}

func ourReading(t *testing.T, data []byte) reading {
	t.Helper()
	m, err := message.Read(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := m.Envelope()
	if len(e.From) == 0 && e.Subject == "" && len(e.To) == 0 && e.Date.IsZero() {
		return nil // no message
	}
	r := reading{"subject": spaces(e.Subject), "from": people(e.From), "to": people(e.To), "date": strconv.FormatInt(e.Date.Unix(), 10)}
	var names, hashes []string
	for p, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Offset < 0 || strings.HasPrefix(p.Type, "message/") {
			continue // in another; and others do not give messages as they came
		}
		names = append(names, p.Filename)
		hashes = append(hashes, hash(p))
	}
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	html, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	r["text"], r["html"] = lines(text), lines(html)
	r["names"], r["hashes"] = strings.Join(names, "\n"), strings.Join(hashes, "\n")
	r["binaries"] = binaries(t, data)
	return r
}

func hash(r io.Reader) string {
	h := sha256.New()
	io.Copy(h, r)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func spaces(s string) string { return strings.Join(strings.Fields(s), " ") }

// lines makes texts comparable that differ in white space only.
func lines(s string) string { return spaces(s) }

func people(list []message.Address) string {
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintf(&b, "%s <%s>\n", spaces(a.Name), a.Address)
	}
	return b.String()
}
