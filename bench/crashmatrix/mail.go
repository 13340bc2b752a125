package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mail makes a message that can be told from all others by its token, however
// much of it has been cut off or added to its header.
func mail(token string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: sender@example.com\r\nTo: joe@example.com\r\nSubject: message %s\r\nMessage-ID: <%s@example.com>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\ntoken: %s\r\n", token, token, token)
	filler(&b, token)
	b.WriteString(middle(token))
	filler(&b, token)
	b.WriteString(end(token))
	return b.Bytes()
}

// smuggler makes a message that holds, for those who take LF . LF for the end
// of a message, an end, a reply and another message.
func smuggler(token string) []byte {
	return bytes.Replace(mail(token), []byte(middle(token)),
		[]byte("before\n.\n+OK\nSubject: forged\n\ntoken: forged\nThis was never sent as a message.\n.\nafter\r\n"), 1)
}

func middle(token string) string { return "This is the middle of " + token + ".\r\n" }
func end(token string) string    { return "This is the end of " + token + ".\r\n" }

func filler(b *bytes.Buffer, token string) {
	for i := range 20 {
		fmt.Fprintf(b, "%s, line %d: the quick brown fox jumps over the lazy dog.\r\n", token, i+1)
	}
}

// tokenLine finds whose message a file is.
var tokenLine = regexp.MustCompile(`(?m)^token: ([a-z0-9]+)\r?$`)

// fingerprint is of the body alone, since programs add to the header, and
// whatever the line ends, since some make them LF.
func fingerprint(msg []byte) [32]byte {
	msg = bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n"))
	_, body, _ := bytes.Cut(msg, []byte("\n\n"))
	return sha256.Sum256(bytes.TrimRight(body, "\n"))
}

// copies is what a reader finds in a program's folder.
type copies struct {
	intact  map[string]int // by token
	damaged map[string]int
	junk    int // files without a token
}

// read reads every Maildir below dir. What is in tmp does not count.
func read(dir string, sent map[string][]byte) (copies, error) {
	c := copies{make(map[string]int), make(map[string]int), 0}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if sub := filepath.Base(filepath.Dir(name)); sub != "new" && sub != "cur" || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found := tokenLine.FindSubmatch(data)
		if found == nil {
			c.junk++
			return nil
		}
		token := string(found[1])
		if original, ok := sent[token]; ok && fingerprint(original) == fingerprint(data) {
			c.intact[token]++
		} else {
			c.damaged[token]++
		}
		return nil
	})
	return c, err
}
