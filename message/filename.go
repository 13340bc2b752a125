package message

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxFilename = 200 // octets; file systems take 255

// Filename makes a safe name for a file of one that a stranger chose, on Unix
// and Windows: the last element of a path, without control characters and
// those that turn the direction of writing, without characters that are
// special to Windows, no longer than 200 octets with its extension kept, not a
// device like CON, not hidden or ending in a dot. It is empty if nothing is
// left.
func Filename(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if len(name) > 1 && name[1] == ':' && unicode.IsLetter(rune(name[0])) {
		name = name[2:] // a drive
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', r == '\u2028', r == '\u2029':
			return -1 // joiners are needed by some scripts
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "\ufffd"))
	name = shorten(strings.TrimFunc(name, atNoEnd))
	stem, _, _ := strings.Cut(name, ".")
	if devices[strings.ToLower(strings.TrimSpace(stem))] {
		name = shorten("_" + name)
	}
	return name
}

// atNoEnd tells whether a name neither begins nor ends with r.
func atNoEnd(r rune) bool { return r == '.' || unicode.IsSpace(r) }

// shorten cuts the middle out of a name that is too long.
func shorten(name string) string {
	if len(name) <= maxFilename {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	cut := maxFilename - len(ext)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimRightFunc(name[:cut], atNoEnd) + ext
}

// devices are names that Windows does not open as files, whatever follows a
// dot.
var devices = func() map[string]bool {
	m := map[string]bool{"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true}
	for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"} {
		m["com"+n], m["lpt"+n] = true, true
	}
	return m
}()
