package disk_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fileCall is something asked of the file system that was done. Its paths are
// below the folder of the test. The beginning of a sync is a call of its own,
// "begin": what is written after it is not known to be synced.
type fileCall struct {
	name     string
	fd       string // for offsets
	path, to string
	data     string
	at       int64
	create   bool
}

var (
	traceLine = regexp.MustCompile(`^(\d+) +(.*)$`)
	traceCall = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+|\?)(?:<([^>]*)>)?.*$`)
	traceArg  = regexp.MustCompile(` *(?:"((?:[^"\\]|\\.)*)"|(-?\w+)<([^>]*)>|[^,]+)`)
)

// parseTrace reads what strace has written about the files below dir.
func parseTrace(t *testing.T, trace, dir string) []fileCall {
	t.Helper()
	var calls []fileCall
	begun := make(map[string]string) // by thread
	for line := range strings.Lines(trace) {
		m := traceLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		thread, text := m[1], m[2]
		if before, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			begun[thread] = before
			if c, ok := parseCall(before+") = 0", dir); ok && strings.Contains(c.name, "sync") {
				c.name = "begin"
				calls = append(calls, c)
			}
			continue
		}
		if _, rest, ok := strings.Cut(text, " resumed>"); ok && strings.HasPrefix(text, "<... ") {
			text = begun[thread] + rest
		} else if c, ok := parseCall(text, dir); ok && strings.Contains(c.name, "sync") {
			c.name = "begin"
			calls = append(calls, c)
		}
		if c, ok := parseCall(text, dir); ok {
			calls = append(calls, c)
		}
	}
	return calls
}

func parseCall(text, dir string) (c fileCall, ok bool) {
	m := traceCall.FindStringSubmatch(text)
	if m == nil || strings.HasPrefix(m[3], "-") || m[3] == "?" {
		return c, false
	}
	c.name = m[1]
	var paths []string
	var numbers []int64
	for i, a := range traceArg.FindAllStringSubmatch(m[2], -1) {
		word := strings.TrimSpace(a[0])
		switch {
		case a[2] != "" && i == 0 && a[2] != "AT_FDCWD":
			c.fd = a[2]
			paths = append(paths, unhex(a[3]))
		case a[2] != "":
		case strings.HasPrefix(word, `"`) && (c.name == "write" || c.name == "pwrite64"):
			c.data = unhex(a[1])
		case strings.HasPrefix(word, `"`):
			paths = append(paths, unhex(a[1]))
		default:
			c.create = c.create || strings.Contains(word, "O_CREAT")
			if n, err := strconv.ParseInt(word, 0, 64); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	if c.name == "write" && strings.HasPrefix(c.data, "acked") {
		return c, true
	}
	for i, p := range paths {
		rel, err := filepath.Rel(dir, p)
		if err != nil || strings.HasPrefix(rel, "..") {
			return c, false
		}
		paths[i] = rel
	}
	if len(paths) == 0 {
		return c, false
	}
	c.path = paths[0]
	c.to = paths[len(paths)-1]
	if c.name == "openat" {
		c.fd = m[3]
	}
	if len(numbers) > 0 {
		c.at = numbers[len(numbers)-1] // an offset, or a size
	}
	return c, true
}

// unhex decodes the \x.. that strace writes.
func unhex(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out, err := strconv.Unquote(`"` + s + `"`)
	if err != nil {
		return s
	}
	return out
}

// diskModel is a file system that remembers what of it is sure to last.
type diskModel struct {
	names   map[string]*node // by path
	durable map[string]*node // as when their folders were synced
	offsets map[string]int64 // of descriptors
	begun   map[string]begunSync
}

// node is a file or a folder.
type node struct {
	folder bool
	data   []byte
	synced []byte
	since  []chunk // written since
}

type chunk struct {
	at   int64
	data []byte
}

// begunSync is what a sync that has begun will make last.
type begunSync struct {
	node  *node
	data  []byte
	since int
	names map[string]*node // of a folder
}

func newDiskModel() *diskModel {
	root := &node{folder: true}
	return &diskModel{
		names: map[string]*node{".": root}, durable: map[string]*node{".": root},
		offsets: make(map[string]int64), begun: make(map[string]begunSync),
	}
}

// play does a call, and reports whether it may have changed what is left.
func (m *diskModel) play(c fileCall) bool {
	n := m.names[c.path]
	switch c.name {
	case "openat":
		m.offsets[c.fd] = 0
		if n != nil || !c.create {
			return false
		}
		m.names[c.path] = new(node)
	case "mkdirat":
		m.names[c.path] = &node{folder: true}
	case "write":
		m.write(n, m.offsets[c.fd], c.data)
		m.offsets[c.fd] += int64(len(c.data))
	case "pwrite64":
		m.write(n, c.at, c.data)
	case "ftruncate":
		n.data = append(n.data[:min(c.at, int64(len(n.data)))], make([]byte, max(0, c.at-int64(len(n.data))))...)
		n.since = append(n.since, chunk{at: c.at})
	case "rename", "renameat", "renameat2":
		m.names[c.to] = n
		delete(m.names, c.path)
	case "linkat":
		m.names[c.to] = n
	case "unlinkat":
		delete(m.names, c.path)
	case "begin":
		b := begunSync{node: n, data: slices.Clone(n.data), since: len(n.since)}
		if n.folder {
			b.names = m.within(m.names, c.path)
		}
		m.begun[c.fd+c.path] = b
		return false
	case "fsync", "fdatasync":
		b := m.begun[c.fd+c.path]
		b.node.synced = b.data
		b.node.since = b.node.since[b.since:]
		if b.node.folder {
			maps.DeleteFunc(m.durable, func(p string, _ *node) bool { return p != "." && filepath.Dir(p) == c.path })
			maps.Copy(m.durable, b.names)
		}
	default:
		return false
	}
	return true
}

func (m *diskModel) write(n *node, at int64, data string) {
	if end := at + int64(len(data)); end > int64(len(n.data)) {
		n.data = append(n.data, make([]byte, end-int64(len(n.data)))...)
	}
	copy(n.data[at:], data)
	n.since = append(n.since, chunk{at, []byte(data)})
}

func (m *diskModel) within(names map[string]*node, folder string) map[string]*node {
	found := make(map[string]*node)
	for p, n := range names {
		if p != "." && filepath.Dir(p) == folder {
			found[p] = n
		}
	}
	return found
}

// leave writes to dir what a power cut leaves: what is durable, and of the
// rest what luck says.
func (m *diskModel) leave(dir string, luck func() bool) error {
	left := maps.Clone(m.durable)
	all := maps.Clone(m.durable)
	maps.Copy(all, m.names)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		if m.names[p] != m.durable[p] && luck() { // a change of this name has lasted
			if left[p] = m.names[p]; left[p] == nil {
				delete(left, p)
			}
		}
	}
	written := make(map[*node][]byte)                  // the same in each of a file's names
	for _, p := range slices.Sorted(maps.Keys(left)) { // folders before what is in them
		n, path := left[p], filepath.Join(dir, p)
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			continue // its folder has not lasted
		}
		if n.folder {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		if _, ok := written[n]; !ok {
			written[n] = n.survive(luck)
		}
		if err := os.WriteFile(path, written[n], 0o600); err != nil {
			return err
		}
	}
	return nil
}

// survive returns what a power cut leaves of a file.
func (n *node) survive(luck func() bool) []byte {
	data := slices.Clone(n.synced)
	for _, c := range n.since {
		if !luck() {
			continue
		}
		if c.data == nil { // a new size
			data = append(data[:min(c.at, int64(len(data)))], make([]byte, max(0, c.at-int64(len(data))))...)
			continue
		}
		if end := c.at + int64(len(c.data)); end > int64(len(data)) {
			data = append(data, make([]byte, end-int64(len(data)))...)
		}
		copy(data[c.at:], c.data)
	}
	return data
}
