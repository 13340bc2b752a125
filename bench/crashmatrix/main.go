// Command crashmatrix lets programs that retrieve mail run into the same
// faults, each at one step of the protocol, and writes a page that says what
// was lost, what came twice and what stayed on the server:
//
//	cd bench && go run ./crashmatrix -out ../docs/crash-matrix.md
//
// The programs are postbag's mailget, built from this tree, and those of
// fetchmail, getmail, mpop, mbsync and offlineimap that are installed; one
// that is not is left out. Each run has its own server in this process, on
// 127.0.0.1, its own folder and its own configuration, and is killed by its
// process group alone. As root, the programs run as nobody.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "-mda" {
		deliver(os.Args[2]) // called by fetchmail, see there
		return
	}
	log.SetFlags(0)
	out := flag.String("out", "", "write the page to `file`; without it, to the standard output")
	jobs := flag.Int("j", 3, "run so many programs at once")
	only := flag.String("run", "", "only the runs whose name, \"table/fault/program\", matches `regexp`; no page is written")
	keep := flag.String("keep", "", "keep every run's folder, with what the programs said, in `dir`")
	flag.Parse()
	if err := run(*out, *jobs, *only, *keep); err != nil {
		log.Fatalln("crashmatrix:", err)
	}
}

func run(out string, jobs int, only, keep string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	root := keep
	if root == "" {
		if root, err = os.MkdirTemp("", "crashmatrix-"); err != nil {
			return err
		}
		defer os.RemoveAll(root)
	}
	l, err := newLab(root)
	if err != nil {
		return err
	}
	tables := allTables()
	cells := enumerate(tables, l.installed())
	var wanted []*cell
	for _, c := range cells {
		if match.MatchString(c.name()) {
			wanted = append(wanted, c)
		}
	}
	measure(l, wanted, jobs)
	if only != "" {
		for _, c := range wanted {
			fmt.Printf("%-70s %s\n", c.name(), c.result)
		}
		return nil
	}
	page := writePage(tables, l.installed(), cells)
	if out == "" {
		_, err = os.Stdout.WriteString(page)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(page), 0o644)
}

// measure fills the cells' results.
func measure(l *lab, cells []*cell, jobs int) {
	next := make(chan *cell)
	var wg sync.WaitGroup
	var done atomic.Int64
	for range max(jobs, 1) {
		wg.Go(func() {
			for c := range next {
				c.result = l.try(c)
				log.Printf("%3d/%d %-70s %s", done.Add(1), len(cells), c.name(), c.result)
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	wg.Wait()
}

// lab is where runs take place.
type lab struct {
	root    string // a folder that every user may enter
	self    string // this program, for fetchmail to deliver with
	mailget string
}

func newLab(root string) (*lab, error) {
	l := &lab{root: root, self: filepath.Join(root, "crashmatrix"), mailget: filepath.Join(root, "mailget")}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(root, 0o755); err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(exe)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(l.self, data, 0o755); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-o", l.mailget, "./examples/mailget")
	build.Dir = ".." // of bench, where go run has its working folder
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build mailget (run this in the folder bench): %w\n%s", err, out)
	}
	return l, nil
}

// installed returns the programs of which there is an executable.
func (l *lab) installed() []*program {
	var there []*program
	for _, p := range programs {
		if p.executable == "" {
			there = append(there, p)
		} else if _, err := exec.LookPath(p.executable); err == nil {
			there = append(there, p)
		}
	}
	return there
}
