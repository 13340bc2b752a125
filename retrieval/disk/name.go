package disk

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"example.com/postbag/retrieval"
)

// A file in new is called by its name; in cur, infoMark and letters follow.
//
//	postbag-4f0c…29        32 hexadecimal digits
//	postbag-4f0c…29-2      another message, of the same account, mailbox and UID
//	postbag-4f0c…29:2,FS   in cur, with flags
const (
	namePrefix = "postbag-"
	nameLength = len(namePrefix) + 2*16
	infoMark   = ":2,"
)

// uniqueName derives the name of a message: 128 bits of a hash, so that any
// octets may be in a UID. A server that finds two UIDs with the same name
// gains nothing: see [Maildir.Deliver].
func uniqueName(box retrieval.Box, uid retrieval.UID) string {
	h := sha256.New()
	for _, s := range []string{box.Account, box.Mailbox, string(uid)} {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return namePrefix + hex.EncodeToString(h.Sum(nil)[:16])
}

// numberedName is the nth name of messages whose UID is the same.
func numberedName(name string, n int) string {
	if n == 1 {
		return name
	}
	return name + "-" + strconv.Itoa(n)
}

// isOurs tells whether a name is one that uniqueName or numberedName made.
func isOurs(name string) bool {
	if len(name) < nameLength || !strings.HasPrefix(name, namePrefix) {
		return false
	}
	for _, c := range name[len(namePrefix):nameLength] {
		if !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return len(name) == nameLength || number(name) > 1
}

// maxNumber is how many messages of one UID there may be in a Maildir: all of
// their names are looked at for each delivery. One more is an error of Flush.
const maxNumber = 10_000

// number returns n for the nth name of a message, 0 if it is none.
func number(name string) int {
	if len(name) == nameLength {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimPrefix(name[nameLength:], "-"))
	if err != nil || n > maxNumber || numberedName(name[:nameLength], n) != name {
		return 0
	}
	return n
}

// splitName returns the name of the message in a file, and its letters. Mail
// programs may have put more behind the name, such as ",S=1234", or another sign
// than a colon.
func splitName(file string) (name, letters string, ok bool) {
	if len(file) < nameLength {
		return "", "", false
	}
	end := nameLength
	if strings.HasPrefix(file[end:], "-") {
		end++
		for end < len(file) && file[end] >= '0' && file[end] <= '9' {
			end++
		}
	}
	if name = file[:end]; !isOurs(name) {
		return "", "", false
	}
	rest := file[end:]
	if i := strings.LastIndex(rest, infoMark); i >= 0 {
		letters = rest[i+len(infoMark):]
	} else if len(rest) >= len(infoMark) && rest[1:len(infoMark)] == infoMark[1:] {
		letters = rest[len(infoMark):]
	}
	return name, letters, true
}

// flagLetters are the flags that mail programs know in file names.
var flagLetters = map[string]byte{
	`\draft`:     'D',
	`\flagged`:   'F',
	`$forwarded`: 'P', // "passed"
	`\answered`:  'R', // "replied"
	`\seen`:      'S',
	`\deleted`:   'T', // "trashed"
}

// letters returns the letters for flags, sorted as file names need them.
func letters(flags []retrieval.Flag) string {
	var set []byte
	for _, f := range flags {
		if c, ok := flagLetters[strings.ToLower(string(f))]; ok {
			set = append(set, c)
		}
	}
	slices.Sort(set)
	return string(slices.Compact(set))
}

// mergeLetters returns the letters of a file that had old and gets set:
// letters that stand for no flag of ours stay.
func mergeLetters(old, set string) string {
	merged := []byte(set)
	for _, c := range []byte(old) {
		if !strings.ContainsRune("DFPRST", rune(c)) {
			merged = append(merged, c)
		}
	}
	slices.Sort(merged)
	return string(slices.Compact(merged))
}
