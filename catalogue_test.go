package postbag_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// fault is a row of the catalogue of faults: what happens, which tests show
// what comes of it ("folder Test/subtest"; the number stands in the test, in
// its comment or in the subtest's name), and what is not shown, or comes out
// otherwise than the catalogue wants it, and why.
type fault struct {
	n    int
	what string
	by   []string
	not  string
}

// The faults F95 to F118 (TLS, logins, hostile answers) are the clients' own:
// TestCatalogue of imapclient looks after them. F131 to F134 are about a fleet
// of workers, which is not a part of this module.

// TestCatalogue holds the catalogue against the tests: each number is in a
// test that is there, or says why not. With -v it is printed.
func TestCatalogue(t *testing.T) {
	known := make(map[string]map[string]string)
	last := 0
	for _, f := range faults {
		if f.n != last+1 && f.n != 119 && f.n != 135 {
			t.Errorf("F%d follows F%d", f.n, last)
		}
		last = f.n
		if len(f.by) == 0 && f.not == "" {
			t.Errorf("F%d is not shown, and nobody says why", f.n)
		}
		for _, test := range f.by {
			dir, name, _ := strings.Cut(test, " ")
			name, sub, _ := strings.Cut(name, "/")
			if known[dir] == nil {
				known[dir] = testsIn(t, dir)
			}
			switch text, ok := known[dir][name]; {
			case !ok:
				t.Errorf("F%d: there is no %s in %s", f.n, name, dir)
			case sub != "" && !strings.Contains(known[dir][""], strconv.Quote(sub)):
				t.Errorf("F%d: there is no subtest %q in %s", f.n, sub, dir)
			case !mentions(name+" "+sub+" "+text, f.n):
				t.Errorf("F%d is not mentioned by %s", f.n, test)
			}
		}
	}
	if last != 139 {
		t.Errorf("the last is F%d", last)
	}
	if testing.Verbose() {
		fmt.Println("| fault | | shown by | not, or otherwise |\n|---|---|---|---|")
		for _, f := range faults {
			fmt.Printf("| F%d | %s | %s | %s |\n", f.n, f.what, strings.Join(f.by, "; "), f.not)
		}
	}
}

// testsIn returns the text of each test and benchmark of a folder, and under
// no name that of all its files.
func testsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		texts[""] += string(src)
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			begins := fn.Pos()
			if fn.Doc != nil {
				begins = fn.Doc.Pos()
			}
			texts[fn.Name.Name] = string(src[set.Position(begins).Offset:set.Position(fn.End()).Offset])
		}
	}
	return texts
}

var numbers = regexp.MustCompile(`F(\d+)(?:(?:-|–| to\n?(?:// )? ?)F(\d+))?`)

// mentions tells whether a text has the number, alone or within "F8-F11".
func mentions(text string, n int) bool {
	for _, m := range numbers.FindAllStringSubmatch(text, -1) {
		from, _ := strconv.Atoi(m[1])
		to, err := strconv.Atoi(m[2])
		if err != nil {
			to = from
		}
		if from <= n && n <= to {
			return true
		}
	}
	return false
}

// The catalogue and its numbers are one: what is looked for is found, and what
// is not there is not.
func TestMentions(t *testing.T) {
	for text, want := range map[string]string{
		"F5": "5", "F50": "50", "F8-F11": "8 9 10 11", "F15 to F17, F74": "15 16 17 74", "F15 to\n// F16": "15 16", "TestF126": "126", "5": "",
	} {
		var got []string
		for n := range 200 {
			if mentions(text, n) {
				got = append(got, fmt.Sprint(n))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q mentions %q, want %q", text, got, want)
		}
	}
}
