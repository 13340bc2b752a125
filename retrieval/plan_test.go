package retrieval

import (
	"reflect"
	"strconv"
	"testing"
	"time"
)

// TestPolicies is the table in the documentation of Policy.
func TestPolicies(t *testing.T) {
	here := &Summary{UID: "1", Flags: []Flag{FlagSeen}}
	since := time.Unix(5e8, 0)
	same := &Record{UID: "1", Stage: Settled, Flags: []Flag{`\seen`}, Since: since}
	other := &Record{UID: "1", Stage: Settled, Since: since}
	for _, tt := range []struct {
		name                        string
		policy                      Policy
		fresh, known, differs, gone Action
	}{
		{"LeaveOnServer", LeaveOnServer, Deliver, Keep, Keep, Forget},
		{"DownloadAndDelete", DownloadAndDelete, DeliverAndDelete, Delete, Delete, Forget},
		{"ServerSync", ServerSync, Deliver, Keep, Reflag, Discard},
		{"DeleteAfter, young", DeleteAfter(6e8 * time.Second), Deliver, Keep, Keep, Forget},
		{"DeleteAfter, old", DeleteAfter(5e8 * time.Second), Deliver, Delete, Delete, Forget},
		{"KeepLast, of the last", KeepLast(1), Deliver, Keep, Keep, Forget},
		{"KeepLast, older", KeepLast(0), DeliverAndDelete, Delete, Delete, Forget},
	} {
		at := Position{Now: time.Unix(1e9, 0)}
		got := [4]Action{tt.policy(here, nil, at), tt.policy(here, same, at), tt.policy(here, other, at), tt.policy(nil, same, at)}
		want := [4]Action{tt.fresh, tt.known, tt.differs, tt.gone}
		if got != want {
			t.Errorf("%s = %v, want %v (new, known, flags differ, gone)", tt.name, got, want)
		}
	}
}

// TestPlanIsSafe gives plans to policies that want what must never be done.
func TestPlanIsSafe(t *testing.T) {
	listed := []Summary{{UID: "new"}, {UID: "intended"}, {UID: "settled"}, {UID: "doomed"}}
	since := time.Unix(1, 0)
	known := map[UID]Record{
		"intended":      {UID: "intended", Stage: Intended, Since: since},
		"settled":       {UID: "settled", Stage: Settled},
		"doomed":        {UID: "doomed", Stage: Doomed},
		"intended-gone": {UID: "intended-gone", Stage: Intended},
		"doomed-gone":   {UID: "doomed-gone", Stage: Doomed},
	}
	for _, act := range []Action{Keep, Delete, Reflag, Discard, Forget} {
		pl := makePlan(&Account{Policy: func(*Summary, *Record, Position) Action { return act }}, view{listed: listed, known: known})
		if len(pl.deliver) > 0 {
			t.Errorf("action %v delivers", act)
		}
		for _, rec := range pl.doom {
			if rec.UID != "settled" {
				t.Errorf("action %v deletes %s, which is not settled", act, rec.UID)
			}
		}
		for _, rec := range pl.reflag {
			if rec.UID != "settled" {
				t.Errorf("action %v reflags %s, which was not delivered", act, rec.UID)
			}
		}
		if len(pl.discard) > 0 {
			t.Errorf("action %v discards %v, of which nothing was delivered", act, pl.discard)
		}
		again, spare := []Record{known["doomed"]}, []Record(nil)
		if act != Delete {
			again, spare = nil, []Record{{UID: "doomed", Stage: Settled}}
		}
		if !reflect.DeepEqual(pl.doomed, again) || !reflect.DeepEqual(pl.spare, spare) {
			t.Errorf("action %v: of what an earlier run doomed %v is deleted again, %v is not; want %v, %v", act, pl.doomed, pl.spare, again, spare)
		}
	}
}

func TestPlan(t *testing.T) {
	since := time.Unix(1, 0)
	listed := []Summary{{UID: "a"}, {UID: "b"}, {UID: "c"}}
	known := map[UID]Record{"b": {UID: "b", Stage: Intended, Since: since}}
	pl := makePlan(&Account{Policy: DownloadAndDelete}, view{listed: listed, known: known})
	pl.limit(Limits{Messages: 2}, false)
	want := []job{
		{Summary: listed[0], remove: true},
		{Summary: listed[1], remove: true, redelivery: true, past: known["b"]},
	}
	if !reflect.DeepEqual(pl.deliver, want) || pl.skipped != 1 {
		t.Errorf("deliver %+v, skipped %d, want %+v and the third skipped", pl.deliver, pl.skipped, want)
	}
}

func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		policy                 Policy
		flags, mirror, deletes bool
	}{
		{"LeaveOnServer", LeaveOnServer, false, false, false},
		{"DownloadAndDelete", DownloadAndDelete, false, false, true},
		{"ServerSync", ServerSync, true, true, false},
	} {
		flags, mirror, deletes := tt.policy.needs()
		if flags != tt.flags || mirror != tt.mirror || deletes != tt.deletes {
			t.Errorf("%s needs flags %v, mirror %v, deletes %v; want %v, %v, %v", tt.name, flags, mirror, deletes, tt.flags, tt.mirror, tt.deletes)
		}
	}
}

// A message that was delivered from another mailbox is not delivered here, but
// in a mirror it is when the other copy has gone.
func TestTwins(t *testing.T) {
	listed := []Summary{{UID: "1", Email: "m1"}, {UID: "2", Email: "m2"}, {UID: "3"}}
	for _, tt := range []struct {
		name   string
		policy Policy
		known  map[UID]Record
		held   string
		want   string
	}{
		{"new", ServerSync, nil, "m1", "23"},
		{"known, copy there", ServerSync, map[UID]Record{"1": {UID: "1", Stage: Settled, Twin: true, Email: "m1"}}, "m1", "23"},
		{"known, copy gone", ServerSync, map[UID]Record{"1": {UID: "1", Stage: Settled, Twin: true, Email: "m1"}}, "m2", "13"},
		{"known, copy gone, no mirror", LeaveOnServer, map[UID]Record{"1": {UID: "1", Stage: Settled, Twin: true, Email: "m1"}}, "m2", "3"},
	} {
		pl := makePlan(&Account{Policy: tt.policy}, view{listed: listed, known: tt.known, elsewhere: emails{tt.held: true}})
		got := ""
		for _, j := range pl.deliver {
			got += string(j.UID)
		}
		if got != tt.want {
			t.Errorf("%s: delivers %q, want %q", tt.name, got, tt.want)
		}
	}
	// What was never delivered from here is neither deleted nor discarded.
	known := map[UID]Record{"1": {UID: "1", Stage: Settled, Twin: true, Email: "m1"}, "gone": {UID: "gone", Stage: Settled, Twin: true}}
	for _, act := range []Action{Delete, DeliverAndDelete, Discard, Reflag} {
		pl := makePlan(&Account{Policy: func(*Summary, *Record, Position) Action { return act }}, view{listed: listed[:1], known: known})
		if len(pl.doom)+len(pl.discard)+len(pl.reflag) > 0 {
			t.Errorf("action %v touches what was not delivered: %+v", act, pl)
		}
	}
}

// Copies of very many messages that are gone at once are discarded when they
// are still gone an hour later.
func TestMassiveDisappearance(t *testing.T) {
	now := time.Unix(1e9, 0)
	known := func(n int, vanished time.Time) map[UID]Record {
		recs := make(map[UID]Record)
		for i := range n {
			uid := UID(strconv.Itoa(i))
			recs[uid] = Record{UID: uid, Stage: Settled, Vanished: vanished}
		}
		return recs
	}
	listed := []Summary{{UID: "0"}, {UID: "1"}}
	for _, tt := range []struct {
		name     string
		n        int
		vanished time.Time
		want     int
	}{
		{"a few", 12, time.Time{}, 10},
		{"many", 100, time.Time{}, 0},
		{"many, minutes ago", 100, now.Add(-10 * time.Minute), 0},
		{"many, an hour ago", 100, now.Add(-time.Hour), 98},
	} {
		pl := makePlan(&Account{Policy: ServerSync}, view{listed: listed, known: known(tt.n, tt.vanished), now: now})
		if len(pl.discard) != tt.want || len(pl.forget) > 0 {
			t.Errorf("%s: discards %d, forgets %d; want %d and none", tt.name, len(pl.discard), len(pl.forget), tt.want)
		}
	}
}

// Messages that are not here, or have vanished before, say nothing of how many
// copies a mailbox has from which very many disappear at once.
func TestMassiveOfWhatIsHere(t *testing.T) {
	for _, tt := range []struct {
		name string
		rec  Record
	}{
		{"delivered from another mailbox", Record{Stage: Settled, Twin: true}},
		{"seeded", Record{Stage: Settled, Seeded: true}},
		{"intended", Record{Stage: Intended}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			known := make(map[UID]Record)
			for i := range 100 {
				rec := tt.rec
				rec.UID = UID("7." + strconv.Itoa(1000+i))
				known[rec.UID] = rec
			}
			for i := range 30 {
				uid := UID("7." + strconv.Itoa(i+1))
				known[uid] = Record{UID: uid, Stage: Settled, Ref: strconv.Itoa(i)}
			}
			if pl := makePlan(&Account{Policy: ServerSync}, view{known: known, now: now}); len(pl.discard) > 0 {
				t.Errorf("all is gone at once: %d of 30 copies are discarded", len(pl.discard))
			}
		})
	}
}

// A message that is not deleted because it is not here as a whole has its flags
// recorded all the same: the next listing begins at a cursor, and does not tell.
func TestFlagsOfWhatIsNotDeleted(t *testing.T) {
	rec := Record{UID: "7.1", Stage: Settled, HeaderOnly: true, Size: 100}
	a := Account{Policy: DownloadAndDelete, Limits: Limits{MessageSize: 50}}
	pl := makePlan(&a, view{listed: []Summary{{UID: "7.1", Size: 100, Flags: []Flag{FlagSeen}}}, known: map[UID]Record{"7.1": rec}})
	if len(pl.put) != 1 || !SameFlags(pl.put[0].Flags, []Flag{FlagSeen}) {
		t.Errorf("recorded is %v", pl.put)
	}
}

// Sizes that add up to more than a number can hold are still beyond a limit.
func TestLimitOverflow(t *testing.T) {
	pl := new(plan)
	for range 3 {
		pl.deliver = append(pl.deliver, job{Summary: Summary{Size: 1<<63 - 1}})
	}
	pl.limit(Limits{Bytes: 1000}, false)
	if len(pl.deliver) != 1 {
		t.Errorf("%d messages of 8 EiB each within 1000 octets", len(pl.deliver))
	}
}
