package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mail = "From: =?utf-8?q?Ren=C3=A9?= <rene@example.com>\r\nTo: joe@example.com, Jim <jim@example.com>\r\nSubject: Hello\r\n" +
	"Date: Tue, 31 Mar 2026 17:05:09 +0200\r\nMessage-ID: <1@example.com>\r\nIn-Reply-To: <0@example.com>\r\nReferences: <0@example.com>\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=../../a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n" +
	"--b\r\nContent-Type: image/png\r\nContent-ID: <i@x>\r\n\r\npng\r\n--b--\r\n"

func inspectOf(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// The JSON is a contract: these names, these types.
func TestJSON(t *testing.T) {
	code, out, errs := inspectOf(t, mail, "-json", "-")
	if code != 0 || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	want := `{"envelope":{"subject":"Hello","from":[{"name":"René","address":"rene@example.com"}],"to":[{"name":"","address":"joe@example.com"},{"name":"Jim","address":"jim@example.com"}],"cc":[],"bcc":[],"reply_to":[],"date":"2026-03-31T17:05:09+02:00","message_id":"1@example.com","in_reply_to":"0@example.com","references":["0@example.com"]},` +
		`"text":"hi","html":"",` +
		`"attachments":[{"path":"2","filename":"a.txt","content_type":"text/plain","content_id":"","disposition":"attachment","size":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},` +
		`{"path":"3","filename":"","content_type":"image/png","content_id":"i@x","disposition":"","size":3,"sha256":"8f8cbb7dcf46e0bc7d53265749a6c17d116093a6ba95e442764060c76fd4a86c"}],` +
		`"parts":[{"path":"TEXT","content_type":"multipart/mixed","size":203},{"path":"1","content_type":"text/plain","size":2},{"path":"2","content_type":"text/plain","size":3},{"path":"3","content_type":"image/png","size":3}],` +
		`"defects":[{"path":"2","offset":296,"kind":"unsafe-name"}]}` + "\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// Any octets are a message, and the JSON has no null in it.
func TestAnything(t *testing.T) {
	for _, s := range []string{"", "\x00", "\n", "\xff\xfe", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", "Subject: \x1b[31mred\n\n\x1b[2J"} {
		code, out, errs := inspectOf(t, s, "-json", "-")
		if code != 0 || errs != "" || strings.Contains(out, "null") || !json.Valid([]byte(out)) {
			t.Errorf("%q: code %d, %s%s", s, code, out, errs)
		}
		code, out, errs = inspectOf(t, s, "-")
		if code != 0 || errs != "" || strings.ContainsAny(out, "\x1b\x00") {
			t.Errorf("%q: code %d, %q, %s", s, code, out, errs)
		}
	}
}

func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if code, _, errs := inspectOf(t, mail, "-save", dir, "-"); code != 0 {
			t.Fatalf("code %d, %s", code, errs)
		}
	}
	var names []string
	err := filepath.WalkDir(filepath.Dir(filepath.Dir(dir)), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a-2.txt", "a.txt", "part-3-2.png", "part-3.png"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a-2.txt")); err != nil || string(b) != "abc" {
		t.Errorf("a-2.txt holds %q, %v", b, err)
	}
}

// However many attachments have one name, each has its file.
func TestSaveManyOfOneName(t *testing.T) {
	const many = 1500
	dir := t.TempDir()
	part := "--b\nContent-Disposition: attachment; filename=x\n\ny\n"
	for run := 1; run <= 2; run++ {
		if code, _, errs := inspectOf(t, "Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat(part, many), "-save", dir, "-"); code != 0 {
			t.Fatalf("code %d, %s", code, errs)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != run*many {
			t.Errorf("%d files, %v, want %d", len(files), err, run*many)
		}
	}
}

// A pipe that has a name is read like the standard input.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	if _, err := w.WriteString(mail); err != nil {
		t.Fatal(err)
	}
	w.Close()
	code, out, errs := inspectOf(t, "", "-json", name)
	if _, want, _ := inspectOf(t, mail, "-json", "-"); code != 0 || errs != "" || out != want {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(name, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := inspectOf(t, "", name)
	for _, want := range []string{"Subject     Hello\n", "From        René <rene@example.com>\n", "\n  2  text/plain, 3 octets\n", `"a.txt" text/plain, 3 octets`, "part 2 at 296: unsafe-name\n", "\nText\n  hi\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if code != 0 || errs != "" {
		t.Errorf("code %d, %s", code, errs)
	}
	for _, tt := range []struct {
		args []string
		code int
	}{
		{nil, 2}, {[]string{"a", "b"}, 2}, {[]string{"-x"}, 2}, {[]string{"-h"}, 0},
		{[]string{filepath.Join(t.TempDir(), "none")}, 1}, {[]string{"-save", name, "-"}, 1},
	} {
		if code, _, _ := inspectOf(t, mail, tt.args...); code != tt.code {
			t.Errorf("%q: code %d, want %d", tt.args, code, tt.code)
		}
	}
}

// TestCorpus: exit 0 for every file, whatever it is.
func TestCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "corpus", "messages")
	n := 0
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		n++
		if code, out, errs := inspectOf(t, "", "-json", path); code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("%s: code %d, %s", path, code, errs)
		}
		return nil
	})
	t.Logf("%d files", n)
}
