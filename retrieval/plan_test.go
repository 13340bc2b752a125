package retrieval

import (
	"reflect"
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
		if !reflect.DeepEqual(pl.doomed, []UID{"doomed"}) {
			t.Errorf("action %v: deleted again is %q, want what an earlier run doomed", act, pl.doomed)
		}
	}
}

func TestPlan(t *testing.T) {
	since := time.Unix(1, 0)
	listed := []Summary{{UID: "a"}, {UID: "b"}, {UID: "c"}}
	known := map[UID]Record{"b": {UID: "b", Stage: Intended, Since: since}}
	pl := makePlan(&Account{Policy: DownloadAndDelete}, view{listed: listed, known: known})
	pl.limit(Limits{Messages: 2})
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
