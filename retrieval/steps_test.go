package retrieval_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// scenario is an account's life up to a run that something happens in, and
// what must be true when clean runs have followed.
type scenario struct {
	name     string
	of       []retrieval.Protocol
	policy   retrieval.Policy
	after    retrieval.After
	here     string // in the end, each exactly once
	there    string // on the server; FOREIGN is another client's
	archived string // in the mailbox Archive
}

// In each, A and B have been delivered, two days have passed, and C, D and E
// are new; FOREIGN is a message that the account's filter does not want and
// that another client has marked for deletion.
var scenarios = []scenario{
	{name: "leave", of: protocols, policy: retrieval.LeaveOnServer, here: "A B C D E", there: "A B C D E FOREIGN"},
	{name: "delete", of: protocols, policy: retrieval.DownloadAndDelete, here: "A B C D E", there: "FOREIGN"},
	{name: "delete after a day", of: protocols, policy: retrieval.DeleteAfter(24 * time.Hour), here: "A B C D E", there: "C D E FOREIGN"},
	{name: "keep the last two", of: protocols, policy: retrieval.KeepLast(2), here: "A B C D E", there: "D E FOREIGN"},
	{name: "sync", of: []retrieval.Protocol{retrieval.IMAP}, policy: retrieval.ServerSync, here: "A C D E", there: "A C D E FOREIGN"},
	{name: "move", of: []retrieval.Protocol{retrieval.IMAP}, after: retrieval.After{Flags: []retrieval.Flag{"$Got"}, MoveTo: "Archive"},
		here: "A B C D E", there: "FOREIGN", archived: "A B C D E"},
}

// begin makes the scenario's past.
func (s *scenario) begin(q *quick) {
	q.server.Create("Archive")
	foreign := mail("FOREIGN", 9000)
	q.acct.Policy, q.acct.After = s.policy, s.after
	q.acct.Filter.Summary = func(m retrieval.Summary) bool { return m.Size < 5000 }
	q.server.Deliver(foreign, mail("A", 10), mail("B", 20))
	q.run()
	days(2)
	for _, m := range q.server.Contents() {
		switch {
		case subject(string(m.Data)) == "FOREIGN":
			q.server.SetFlags(m.UID, retrieval.FlagDeleted)
		case s.name == "sync" && subject(string(m.Data)) == "A":
			q.server.SetFlags(m.UID, retrieval.FlagSeen)
		case s.name == "sync":
			q.server.Delete(m.UID)
		}
	}
	q.server.Deliver(mail("C", 30), mail("D", 4000), mail("E", 50))
}

// check says what is not as it must be.
func (s *scenario) check(q *quick) {
	q.t.Helper()
	q.want(s.here, s.there)
	for _, m := range q.server.Contents() {
		foreign := subject(string(m.Data)) == "FOREIGN"
		if q.acct.Protocol == retrieval.IMAP && foreign != slices.Contains(m.Flags, retrieval.FlagDeleted) {
			q.t.Errorf("%s has the flags %q", subject(string(m.Data)), m.Flags)
		}
		if slices.Contains(m.Flags, retrieval.FlagSeen) && s.name != "sync" {
			q.t.Errorf("%s is seen", subject(string(m.Data)))
		}
	}
	var archived []string
	for _, m := range q.server.ContentsOf("Archive") {
		archived = append(archived, subject(string(m.Data)))
		if !slices.Contains(m.Flags, "$Got") {
			q.t.Errorf("%s was moved without its flag", subject(string(m.Data)))
		}
	}
	slices.Sort(archived)
	if got := strings.Join(archived, " "); got != s.archived {
		q.t.Errorf("archived is %q, want %q", got, s.archived)
	}
	bodies := map[string]int{"A": 10, "B": 20, "C": 30, "D": 4000, "E": 50}
	for ref, data := range q.shelf.copies {
		if want := string(mail(subject(data), bodies[subject(data)])); data != want {
			q.t.Errorf("%s is %q, want %q", ref, data, want)
		}
		if subject(data) == "A" && s.name == "sync" && !slices.Contains(q.shelf.flags[ref], retrieval.FlagSeen) {
			q.t.Error("the flag of A did not follow")
		}
	}
}

// TestEveryStep lets something go wrong at each command of a run, before it is
// given, after it is carried out, and within the reply: the line is cut, or
// stalls, the server refuses, or says goodbye. Clean runs follow. F5,
// F6, F8, F9, F15 to F20, F22, F59, F74.
func TestEveryStep(t *testing.T) {
	total := 0
	for _, s := range scenarios {
		for _, p := range s.of {
			for _, without := range [][]string{nil, {"PIPELINING"}} {
				if without != nil && p == retrieval.IMAP {
					without = []string{"CONDSTORE", "QRESYNC"} // IMAP has no window: another way to list instead
				}
				t.Run(fmt.Sprint(s.name, " ", p, " without ", without), func(t *testing.T) {
					o := &retrievaltest.ServerOptions{InMemory: true, Without: without}
					steps := 0
					for _, f := range s.faults(t, p, o) {
						synctest.Test(t, func(t *testing.T) { s.strike(t, p, o, f) })
						steps++
						if t.Failed() {
							t.Fatalf("with the fault: %v", f())
						}
					}
					if steps < 40 {
						t.Errorf("only %d faults", steps)
					}
					total += steps
				})
			}
		}
	}
	t.Logf("%d faults", total)
}

// faults returns what is to happen in the run: makers of faults, which are for
// one use.
func (s *scenario) faults(t *testing.T, p retrieval.Protocol, o *retrievaltest.ServerOptions) (fs []func() *retrievaltest.Fault) {
	no, bye := "-ERR no", "-ERR [SYS/TEMP] going down"
	if p == retrieval.IMAP {
		no, bye = "NO no", "* BYE going down"
	}
	synctest.Test(t, func(t *testing.T) {
		q := &quick{t: t, server: retrievaltest.NewServer(t, o), shelf: newShelf(), store: new(retrieval.Memory)}
		q.acct = q.server.Account(p)
		s.begin(q)
		before := len(q.server.Commands())
		q.run()
		s.check(q)
		nth := make(map[string]int)
		for _, c := range q.server.Commands()[before:] {
			nth[c.Name]++
		}
		for _, name := range slices.Sorted(maps.Keys(nth)) {
			for n := 1; n <= nth[name]; n++ {
				for _, at := range []retrievaltest.Point{
					retrievaltest.BeforeCommand(name, n), retrievaltest.AfterCommand(name, n), retrievaltest.WithinReply(name, n, 7),
				} {
					fs = append(fs,
						func() *retrievaltest.Fault { return retrievaltest.Cut(at) },
						func() *retrievaltest.Fault { return retrievaltest.Stall(at, 0) })
				}
				for _, at := range []retrievaltest.Point{retrievaltest.BeforeCommand(name, n), retrievaltest.AfterCommand(name, n)} {
					fs = append(fs,
						func() *retrievaltest.Fault { return retrievaltest.Answer(at, no) },
						func() *retrievaltest.Fault { return retrievaltest.Answer(at, bye) })
				}
			}
		}
	})
	return fs
}

// strike lets a fault happen, and clean runs follow.
func (s *scenario) strike(t *testing.T, p retrieval.Protocol, o *retrievaltest.ServerOptions, fault func() *retrievaltest.Fault) {
	q := &quick{t: t, server: retrievaltest.NewServer(t, o), shelf: newShelf(), store: new(retrieval.Memory)}
	q.acct = q.server.Account(p)
	s.begin(q)
	f := fault()
	sound := q.acct
	q.acct = retrievaltest.Faulty(t, sound, f)
	q.try()
	if f.Struck() == 0 {
		t.Errorf("%v did not happen", f)
	}
	q.acct = sound
	time.Sleep(time.Minute) // for servers that let a dead session go
	q.run()
	q.run()
	s.check(q)
}
