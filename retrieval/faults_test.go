package retrieval_test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// faultCase is a fault of the catalogue: its name begins with its number.
type faultCase struct {
	name string
	of   []retrieval.Protocol // none is both
	opts *retrievaltest.ServerOptions
	test func(t *testing.T, q *quick)
}

var (
	pop3Alone = []retrieval.Protocol{retrieval.POP3}
	imapAlone = []retrieval.Protocol{retrieval.IMAP}

	leaveOrDelete = map[string]retrieval.Policy{"leave": retrieval.LeaveOnServer, "delete": retrieval.DownloadAndDelete}
)

func testFaults(t *testing.T, cases []faultCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { quickly(t, c.opts, c.test, c.of...) })
	}
}

// everything is all that a run could change: here, there and in between.
func (q *quick) everything() string {
	q.t.Helper()
	st := q.state()
	var s strings.Builder
	fmt.Fprintln(&s, st.Records, string(st.Cursor))
	fmt.Fprintln(&s, q.shelf.copies, q.shelf.flags)
	for _, m := range q.server.Contents() {
		fmt.Fprintln(&s, m.UID, m.Flags)
	}
	return s.String()
}

// withoutEffect runs with faults, and fails the test if anything has changed
// then, or if the first did not happen.
func (q *quick) withoutEffect(faults ...*retrievaltest.Fault) error {
	q.t.Helper()
	before := q.everything()
	rep, err := q.with(faults...)
	if rep.Delivered+rep.Deleted+rep.Discarded+rep.Reflagged > 0 {
		q.t.Errorf("%+v, want nothing done", rep)
	}
	if after := q.everything(); after != before {
		q.t.Errorf("there was\n%.800s\nand there is\n%.800s", before, after)
	}
	return err
}

// with runs with faults, of which the first has to happen.
func (q *quick) with(faults ...*retrievaltest.Fault) (retrieval.Report, error) {
	q.t.Helper()
	sound := q.acct
	defer func() { q.acct = sound }()
	if len(faults) > 0 {
		q.acct = retrievaltest.Faulty(q.t, sound, faults...)
	}
	rep, err := q.try()
	if len(faults) > 0 && faults[0].Struck() == 0 {
		q.t.Errorf("%v did not happen", faults[0])
	}
	return rep, err
}

// asked returns what clients have asked for since there were n commands.
func (q *quick) asked(n int) (names []string) {
	for _, c := range q.server.Commands()[n:] {
		names = append(names, strings.TrimSpace(c.Name+" "+c.Args))
	}
	return names
}

// does counts the commands that begin so since there were n.
func (q *quick) does(n int, command string) (times int) {
	for _, c := range q.asked(n) {
		if strings.HasPrefix(c, command) {
			times++
		}
	}
	return times
}

// commands is how many commands there were.
func (q *quick) commands() int { return len(q.server.Commands()) }

// at is where a fault is to be, by protocol.
func (q *quick) at(pop3, imap string) string {
	if q.acct.Protocol == retrieval.POP3 {
		return pop3
	}
	return imap
}

// again is a run in which nothing may be retrieved.
func (q *quick) again() {
	q.t.Helper()
	if rep := q.run(); rep.Delivered+rep.Failed > 0 || rep.Bytes > 0 {
		q.t.Errorf("%+v, want nothing retrieved again", rep)
	}
}
