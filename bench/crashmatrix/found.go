package main

import (
	"fmt"
	"slices"
	"strings"
)

// found is a kind of result, and why it comes about.
type found struct {
	what string
	is   func(result) bool
	why  string
}

var kinds = []found{
	{"Duplicates", func(r result) bool { return r.dup > 0 },
		"What was delivered is not on record yet when the program dies, or when it gives up the session: it fetches it again. fetchmail writes its list at the end of the poll, mpop after QUIT, getmail at the end of the mailbox; with `to_oldmail_on_each_mail` this release of getmail forgets what it has written as soon as it writes the next (a later release mends that). offlineimap forgets that it has fetched a message before the server has heard that it is deleted. postbag writes what it is about to do before it does it, names the file after the message, and looks for that file after a crash."},
	{"Lost", func(r result) bool { return r.lost > 0 },
		"A message was cut short by its own content and then deleted; with mpop the next one too, whose place the forged one took. offlineimap removes what it has when UIDVALIDITY changes and the new UIDs are others."},
	{"Left on the server", func(r result) bool { return r.left > 0 },
		"Either the program has stopped at what it cannot judge (see the row's note), or it does not get past a message that cannot be had, or (fetchmail) it remembers a message as seen, although the deletion was not carried out, and never asks again."},
	{"Foreign messages removed", func(r result) bool { return r.foreign > 0 },
		"EXPUNGE and CLOSE remove whatever is marked `\\Deleted`. postbag sends UID EXPUNGE with the UIDs that it has marked itself, and without UIDPLUS nothing."},
	{"Damaged or forged", func(r result) bool { return r.damaged+r.forged > 0 },
		"LF . LF was taken for the message's end, or (fetchmail) what came before the connection was cut was delivered as the message. Where the whole one then follows in the next session, it does not count as lost."},
	{"Hangs", func(r result) bool { return r.hang },
		"mpop writes line ends into the file for ever when the server hangs up within a message and there is no TLS."},
	{"Crashes", func(r result) bool { return r.died },
		"fetchmail takes for granted that UIDL lists no number above the count that STAT gave, and asks for as much memory as that count needs."},
}

// writeFound says for each kind of wrong result who had it, and why.
func writeFound(b *strings.Builder, cells []*cell) {
	b.WriteString("\n## What it comes from\n\n")
	for _, k := range kinds {
		var who []string
		count := make(map[string]int)
		for _, c := range cells {
			if c.result.idle || c.result.clean(c.best) || !k.is(c.result) {
				continue
			}
			if count[c.program.name]++; !slices.Contains(who, c.program.name) {
				who = append(who, c.program.name)
			}
		}
		if len(who) == 0 {
			continue
		}
		for i, n := range who {
			who[i] = fmt.Sprintf("%s: %d", n, count[n])
		}
		fmt.Fprintf(b, "- **%s** (cells with it: %s). %s\n", k.what, strings.Join(who, "; "), k.why)
	}
}
