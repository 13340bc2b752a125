package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

const intro = `# Who loses mail: a crash matrix

Three messages are on a server. A program retrieves them, runs into one fault, and then runs twice more with nothing
in its way. What has it got, and what is left on the server? The server counts what it holds, and a reader of the
Maildir counts what is there: by a token in each body and by the body's hash, so that what programs add to headers, and
the line ends, do not matter.

**A cell is duplicates / lost / left.** 0/0/0 is right; **bold** is not as good as it can be.

| word | what it means |
|---|---|
| duplicates | copies in the Maildir beyond the first; or a message that was deleted here and came back |
| lost | neither on the server nor, whole, in the Maildir |
| left | to be deleted, and still on the server; where mail stays on the server: there and not in the Maildir |
| foreign | removed from the server, although marking it was another client's doing and this program had not fetched it, or was told to leave mail there |
| damaged | in the Maildir with a body that was never sent |
| forged | in the Maildir as a message, although it was only part of one |
| hang | a session did not end within %d seconds and was ended by us |
| crash | the program died of a signal of its own making |
| – | the program does not take the step at which the fault is |

"kill -9" is SIGKILL to the program's process group, %d ms after the server has received the command or sent the
words; so the programs are not behind. Each run has its own server, folder and configuration. The POP3 server
is scripted, the IMAP server is the one of the package retrievaltest behind a relay; both offer what these programs
ask for, POP3 with PIPELINING, IMAP with UIDPLUS. Both are plaintext on 127.0.0.1.

This page is written by a program. To make it anew, with those of the programs that are installed
(` + "`apt-get install %s`" + `):

    cd bench && go run ./crashmatrix -out ../docs/crash-matrix.md

`

// writePage writes the page that is committed.
func writePage(tables []*table, installed []*program, cells []*cell) string {
	var b strings.Builder
	var pkgs []string
	for _, p := range programs {
		if p.pkg != "" && !slices.Contains(pkgs, p.pkg) {
			pkgs = append(pkgs, p.pkg)
		}
	}
	fmt.Fprintf(&b, intro, int(patience.Seconds()), grace.Milliseconds(), strings.Join(pkgs, " "))
	writePrograms(&b, installed)
	for _, t := range tables {
		writeTable(&b, t, cells)
	}
	writeFound(&b, cells)
	return b.String()
}

func writePrograms(b *strings.Builder, installed []*program) {
	fmt.Fprintf(b, "## What was run\n\nOn %s, on %s with %s.\n\n| column | version | set up with |\n|---|---|---|\n",
		time.Now().UTC().Format("2 January 2006"), system(), runtime.Version())
	for _, p := range installed {
		fmt.Fprintf(b, "| %s | %s | %s |\n", p.name, p.version(), p.options)
	}
	b.WriteString("\nOptions matter: the second column of a peer has those that its manual offers against lost lines and crashes, or its more cautious way. Everything else is as the programs come, with a time-out of 5 seconds where there is one. No program may write files above 100 MB or take more than 4 GB of address space. fetchmail delivers through another program and retrieves by TOP; whether it fsyncs is that program's doing. getmail misses now and then that its own child process has ended, and gives up (\"waiting child pid … timed out\"): that is no fault of ours, and such runs were made again.\n")
}

func system() string {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	_, name, _ := strings.Cut(string(data), "PRETTY_NAME=\"")
	name, _, _ = strings.Cut(name, "\"")
	return name
}

var headings = map[string]string{
	"pop3 delete": "POP3: download and delete",
	"pop3 keep":   "POP3: download and leave on the server",
	"imap delete": "IMAP: download and delete",
	"imap keep":   "IMAP: download and leave on the server",
	"imap sync":   "IMAP: follow the mailbox",
}

var aboutModes = map[string]string{
	"imap sync": "Where the fault is at STORE or EXPUNGE, all three messages were fetched before, and the first one was then deleted here: a program that works both ways deletes it on the server too. The others do not take that step.",
}

func writeTable(b *strings.Builder, t *table, cells []*cell) {
	columns := make(map[string]bool)
	byName := make(map[string]*cell)
	for _, c := range cells {
		if c.table == t {
			columns[c.program.name] = true
			byName[c.row.name+"/"+c.program.name] = c
		}
	}
	key := t.protocol + " " + string(t.mode)
	fmt.Fprintf(b, "\n## %s\n\n", headings[key])
	if about := aboutModes[key]; about != "" {
		fmt.Fprintf(b, "%s\n\n", about)
	}
	var names []string
	for _, p := range programs {
		if columns[p.name] {
			names = append(names, p.name)
		}
	}
	fmt.Fprintf(b, "| fault | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	wrong := make(map[string]int)
	var notes []string
	for _, r := range t.rows {
		title := r.name
		worth := false
		var row []string
		for _, n := range names {
			c := byName[r.name+"/"+n]
			text := c.result.String()
			worth = worth || text != "0/0/0" && text != "–"
			if !c.result.clean(r.best) {
				text = "**" + text + "**"
				wrong[n]++
			}
			row = append(row, text)
		}
		if r.note != "" && worth {
			if !slices.Contains(notes, r.note) {
				notes = append(notes, r.note)
			}
			title += fmt.Sprintf(" (%d)", slices.Index(notes, r.note)+1)
		}
		fmt.Fprintf(b, "| %s | %s |\n", title, strings.Join(row, " | "))
	}
	var sums []string
	for _, n := range names {
		sums = append(sums, fmt.Sprintf("%d of %d", wrong[n], len(t.rows)))
	}
	fmt.Fprintf(b, "| *rows in bold* | %s |\n", strings.Join(sums, " | "))
	for i, n := range notes {
		fmt.Fprintf(b, "\n(%d) %s\n", i+1, n)
	}
}
