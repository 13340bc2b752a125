package postbag_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "example.com/postbag"

// may is the direction of the house: which of our packages a package may
// import, besides the standard library. A package that is not here is an
// error, so that a new one is given its place.
var may = map[string][]string{
	".":                        {},
	"message":                  {},
	"internal/transport":       {},
	"internal/testca":          {},
	"internal/session":         {"internal/transport"},
	"internal/sasl":            {"internal/transport"},
	"internal/pop3server":      {},
	"internal/imapserver":      {},
	"internal/servers":         {"internal/testca"},
	"internal/fakemail":        {"internal/pop3server"},
	"internal/servers/install": {"internal/servers"},
	"internal/scenarios":       {"imapclient", "pop3client", "message", "internal/session", "internal/testca"},
	"internal/e2e":             {},
	"internal/crashes":         {},
	"internal/chaos":           {},
	"pop3client":               {"internal/transport", "internal/sasl"},
	"imapclient":               {"internal/transport", "internal/sasl", "message"},
	"retrieval":                {"pop3client", "imapclient", "message", "internal/transport"},
	"retrieval/disk":           {"retrieval"},
	"retrieval/relay":          {"retrieval", "internal/sasl"},
	"retrieval/retrievaltest":  {"retrieval", "internal/pop3server", "internal/fakemail", "internal/session", "internal/testca"},
	"examples/bouncer":         {"retrieval", "retrieval/disk"},
	"examples/inspect":         {"message"},
	"examples/ledger":          {"retrieval", "retrieval/disk"},
	"examples/mailget":         {"retrieval", "retrieval/disk", "retrieval/relay", "retrieval/retrievaltest", "message"},
}

// only is where another module may be imported: its changes stop at our door.
var only = map[string][]string{
	"github.com/emersion/go-imap/v2": {"imapclient", "internal/imapserver", "internal/fakemail"},
	"github.com/knadh/go-pop3":       {"pop3client"},
	"github.com/emersion/go-message": {"message"},
	"github.com/emersion/go-sasl":    {"internal/sasl"},
	"github.com/emersion/go-smtp":    {"retrieval/relay"},
	"go.etcd.io/bbolt":               {"retrieval/disk"},
	"golang.org/x/net":               {"internal/transport", "message"},
	"golang.org/x/term":              {"examples/mailget"},
	"golang.org/x/text":              {"message"},
}

// tests may use what they need to be tests.
var testsMay = []string{
	"imapclient", "pop3client", "internal/testca", "internal/servers", "internal/pop3server", "internal/imapserver",
	"internal/session", "internal/scenarios",
	"retrieval", "retrieval/disk", "retrieval/relay", "retrieval/retrievaltest",
}

// TestLayout reads the imports of every file itself: the answers of the go
// command are cached, and the cache does not see every change.
func TestLayout(t *testing.T) {
	seen := make(map[string]bool)
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == filepath.Join("internal", "tools") || name == "bench"):
			return fs.SkipDir // the tools and the comparisons are modules of their own
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		name = filepath.ToSlash(name)
		dir := path.Dir(name)
		if _, ok := may[dir]; !ok {
			t.Errorf("%s: the package %s has no place in layout_test.go", name, dir)
			return nil
		}
		seen[dir] = true
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, name, dir, imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range may {
		if !seen[dir] {
			t.Errorf("layout_test.go gives a place to %s, which is not there", dir)
		}
	}
}

func checkImport(t *testing.T, name, dir, imp string) {
	test := strings.HasSuffix(name, "_test.go")
	if ours, ok := strings.CutPrefix(imp, module+"/"); ok {
		if ours == dir && test || contains(may[dir], ours) || test && contains(testsMay, ours) {
			return
		}
		t.Errorf("%s: %s may not import %s", name, dir, ours)
		return
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return // the standard library
	}
	for mod, dirs := range only {
		if imp == mod || strings.HasPrefix(imp, mod+"/") {
			if !contains(dirs, dir) {
				t.Errorf("%s: only %s may import %s", name, strings.Join(dirs, " and "), mod)
			}
			return
		}
	}
	t.Errorf("%s: the module of %s has no place in layout_test.go", name, imp)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
