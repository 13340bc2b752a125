package message

import (
	"bytes"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// yencDecoder decodes yEnc 1.3 (yenc.org), one file or one part of it, from
// its =ybegin line to its =yend line.
type yencDecoder struct {
	begun, ended bool
	width        int64 // of a full line; -1 if unknown
	size         int64 // that was written; -1 if unknown
	got          int64
	sum          uint32
	bad          bool
}

// yencBegin tells whether a line begins a file: =ybegin line=128 size=1 name=x
func yencBegin(line []byte) (name string, size int64, ok bool) {
	rest, ok := strings.CutPrefix(string(line[:min(len(line), 1000)]), "=ybegin ")
	if !ok {
		return "", 0, false
	}
	_, name, ok = strings.Cut(rest, "name=")
	size = yencNumber(rest, "size=")
	if strings.Contains(rest, "part=") {
		size = -1 // the =ypart line has the part's
	}
	return strings.Trim(name, "\" \t"), size, ok && strings.Contains(rest, "line=")
}

// yencNumber returns the number of a keyword, or -1.
func yencNumber(line, key string) int64 {
	_, v, ok := strings.Cut(" "+line, " "+key)
	if !ok {
		return -1
	}
	v, _, _ = strings.Cut(v, " ")
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (y *yencDecoder) line(dst, line []byte) ([]byte, Kind) {
	switch {
	case y.ended:
		return dst, unlessBlank(line, BadYEnc)
	case !y.begun:
		if _, y.size, y.begun = yencBegin(line); y.begun {
			y.width = yencNumber(string(line), "line=")
			return dst, ""
		}
		return dst, unlessBlank(line, BadYEnc)
	case bytes.HasPrefix(line, []byte("=ypart ")):
		if from, to := yencNumber(string(line), "begin="), yencNumber(string(line), "end="); from > 0 && to >= from {
			y.size = to - from + 1
		}
		return dst, ""
	case bytes.HasPrefix(line, []byte("=yend")):
		y.ended = true
		y.check(string(line))
		return dst, ""
	}
	from := len(dst)
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '=' && i+1 < len(line) {
			i++
			c = line[i] - 64
		}
		dst = append(dst, c-42)
	}
	if y.stuffed(line, len(dst)-from) {
		dst = slices.Delete(dst, from, from+1)
	}
	y.got += int64(len(dst) - from)
	y.sum = crc32.Update(y.sum, crc32.IEEETable, dst[from:])
	return dst, ""
}

// stuffed tells whether a line of so many octets has a dot more in front, which
// NNTP or POP3 put there: then it is longer than it may be, or the file is.
func (y *yencDecoder) stuffed(line []byte, octets int) bool {
	if !bytes.HasPrefix(line, []byte("..")) {
		return false
	}
	most := y.width
	if line[len(line)-2] == '=' { // the last octet is two characters
		most++
	}
	return int64(len(line)) > most || y.size >= 0 && y.got+int64(octets) > y.size
}

// check compares with what the last line says.
func (y *yencDecoder) check(line string) {
	if size := yencNumber(line, "size="); size >= 0 && size != y.got || y.size >= 0 && y.size != y.got {
		y.bad = true
	}
	for _, key := range []string{" pcrc32=", " crc32="} {
		_, v, ok := strings.Cut(line, key)
		if !ok {
			continue
		}
		v, _, _ = strings.Cut(strings.TrimSpace(v), " ")
		if sum, err := strconv.ParseUint(v, 16, 64); err == nil && uint32(sum) != y.sum {
			y.bad = true
		}
		return // that of the part, if there is one
	}
}

func (y *yencDecoder) close() Kind {
	if !y.begun || !y.ended || y.bad {
		return BadYEnc
	}
	return ""
}
