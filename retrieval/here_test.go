package retrieval

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"
)

func flags(s string) (fs []Flag) {
	for _, c := range s {
		fs = append(fs, map[rune]Flag{'S': FlagSeen, 'F': FlagFlagged, 'T': FlagDeleted, 'P': FlagForwarded, 'k': "keyword", 's': `\SEEN`}[c])
	}
	return fs
}

// The sink has no keyword, the server no $Forwarded.
var someKeep = here{
	owns:   func(ref string) bool { return ref != "another's" },
	sink:   func(f Flag) bool { return f != "keyword" },
	server: func(f Flag) bool { return f != FlagForwarded },
}

// TestMerge goes through what can have become of a flag on either side.
func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		name              string
		base, there, here string
		add, remove       string
		after, agreed     string
	}{
		{"nothing", "S", "S", "S", "", "", "S", "S"},
		{"set here", "", "", "S", "S", "", "S", "S"},
		{"taken away here", "S", "S", "", "", "S", "", ""},
		{"set there", "", "S", "", "", "", "S", ""},
		{"taken away there", "S", "", "S", "", "", "", "S"},
		{"set on both", "", "S", "S", "", "", "S", "S"},
		{"taken away on both", "S", "", "", "", "", "", ""},
		{"one here, another there", "", "F", "S", "S", "", "FS", "S"},
		{"set here, another taken away there", "F", "", "FS", "S", "", "S", "FS"},
		{"taken away here, another set there", "S", "SF", "", "", "S", "F", ""},
		{"in another case", "S", "s", "S", "", "", "S", "S"},
		{"a keyword, which is never here", "k", "k", "", "", "", "k", "k"},
		{"a keyword set there", "", "k", "", "", "", "k", ""},
		{"a keyword taken away there", "k", "", "", "", "", "", "k"},
		{"a keyword, and a flag set here", "k", "k", "S", "S", "", "kS", "kS"},
		{"what the server does not keep, set here", "", "", "P", "", "", "P", "P"},
		{"what the server does not keep, still here", "P", "", "P", "", "", "P", "P"},
		{"what the server does not keep, taken away here", "P", "", "", "", "", "", ""},
		{"marked as deleted here", "", "", "T", "", "", "", ""},
		{"marked as deleted there", "", "T", "", "", "", "T", ""},
		{"marked as deleted there, as before", "T", "T", "T", "", "", "T", "T"},
		{"marked as deleted on both", "", "T", "T", "", "", "T", "T"},
		{"the mark taken away here", "T", "T", "", "", "T", "", ""},
	} {
		m := someKeep.merge(flags(tt.base), flags(tt.there), flags(tt.here))
		for _, c := range []struct {
			what string
			got  []Flag
			want string
		}{{"adds", m.add, tt.add}, {"takes away", m.remove, tt.remove}, {"leaves on the server", m.there, tt.after}, {"agrees on", m.agreed, tt.agreed}} {
			if !SameFlags(c.got, flags(c.want)) {
				t.Errorf("%s: %s %q, want %q", tt.name, c.what, c.got, flags(c.want))
			}
		}
	}
}

// TestRemovedHere is what becomes of a message whose copy is not as it was left.
func TestRemovedHere(t *testing.T) {
	const gone = "-"
	for _, tt := range []struct {
		name              string
		rec               Record
		u                 Upstream
		base, there, here string
		want              string
	}{
		{"removed", Record{}, Upstream{Removals: true}, "S", "S", gone, "remove"},
		{"marked", Record{}, Upstream{Removals: true}, "S", "S", "ST", "remove"},
		{"removals off", Record{}, Upstream{Flags: true}, "S", "S", gone, ""},
		{"marked, removals off", Record{}, Upstream{Flags: true}, "S", "S", "ST", ""},
		{"removed, changed there", Record{}, Upstream{Removals: true}, "", "S", gone, "anew"},
		{"marked, changed there", Record{}, Upstream{Removals: true}, "", "S", "T", "revive"},
		{"removed, changed there, only from here", Record{}, Upstream{Removals: true, Only: true}, "", "S", gone, "remove"},
		{"removed, marked there", Record{}, Upstream{Removals: true}, "S", "ST", gone, "remove"},
		{"marked there, as before", Record{}, Upstream{Removals: true}, "T", "T", "T", ""},
		{"marked on both, or there, and the copy followed", Record{}, Upstream{Removals: true}, "", "T", "T", ""},
		{"marked there, and removed here", Record{}, Upstream{Removals: true}, "T", "T", gone, "remove"},
		{"removed, and what the server does not keep differs", Record{}, Upstream{Removals: true}, "SP", "S", gone, "remove"},
		{"removed, keyword set there", Record{}, Upstream{Removals: true}, "", "k", gone, "anew"},
		{"a header section", Record{HeaderOnly: true}, Upstream{Removals: true}, "", "", gone, ""},
		{"not delivered: the same from another mailbox", Record{Twin: true}, Upstream{Removals: true}, "", "", gone, ""},
		{"not settled", Record{Stage: Intended}, Upstream{Removals: true}, "", "", gone, ""},
		{"doomed, and gone here", Record{Stage: Doomed}, Upstream{Removals: true}, "", "T", gone, "repeat"},
		{"doomed, and marked here", Record{Stage: Doomed}, Upstream{Removals: true}, "", "T", "T", "repeat"},
		{"doomed, and here again", Record{Stage: Doomed}, Upstream{Removals: true}, "", "T", "S", "restore unmark"},
		{"delivered into another sink", Record{Ref: "another's"}, Upstream{Flags: true, Removals: true}, "S", "S", gone, ""},
		{"doomed, and delivered into another sink", Record{Stage: Doomed, Ref: "another's"}, Upstream{Removals: true}, "", "", gone, "repeat"},
		{"missing once, and here again", Record{Missed: time.Unix(5, 0)}, Upstream{Removals: true}, "", "", "", "put"},
	} {
		rec := tt.rec
		rec.UID, rec.Ref, rec.Flags, rec.Stage = "1", cmp.Or(rec.Ref, "ref"), flags(tt.base), max(rec.Stage, Intended)
		if tt.rec.Stage == 0 {
			rec.Stage = Settled
		}
		h := someKeep
		h.flags = map[string][]Flag{}
		if tt.here != gone {
			h.flags["ref"] = flags(tt.here)
		}
		ch := changesHere(tt.u, view{listed: []Summary{{UID: "1", Flags: flags(tt.there)}}, known: map[UID]Record{"1": rec}, now: time.Unix(1e9, 0)}, h)
		var got []string
		for what, n := range map[string]int{"remove": len(ch.remove), "repeat": len(ch.repeat), "restore": len(ch.restore), "unmark": len(ch.unmark), "anew": len(ch.anew),
			"revive": len(ch.revive), "discard": len(ch.discard), "put": len(ch.put), "stores": len(ch.stores), "waiting": ch.waiting} {
			if n > 0 {
				got = append(got, what)
			}
		}
		slices.Sort(got)
		if want := fmt.Sprintf("[%s]", tt.want); fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", tt.name, got, want)
		}
	}
}

// TestManyRemovedHere: what is suspiciously much has to be seen again.
func TestManyRemovedHere(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name         string
		all, missing int
		missed       time.Time
		removed      int
	}{
		{"one of one", 1, 1, time.Time{}, 1},
		{"all of two", 2, 2, time.Time{}, 0},
		{"all but one", 21, 20, time.Time{}, 20},
		{"more than half of many", 41, 21, time.Time{}, 0},
		{"half of many", 42, 21, time.Time{}, 21},
		{"seen a moment ago", 41, 21, now.Add(-59 * time.Minute), 0},
		{"seen an hour ago", 41, 21, now.Add(-time.Hour), 21},
		{"seen in the future", 41, 21, now.Add(time.Hour), 0},
	} {
		v := view{known: make(map[UID]Record), now: now}
		h := someKeep
		h.flags = make(map[string][]Flag)
		for i := range tt.all {
			uid := UID(fmt.Sprint(i))
			v.listed = append(v.listed, Summary{UID: uid})
			rec := Record{UID: uid, Stage: Settled, Ref: string(uid)}
			if i < tt.missing {
				rec.Missed = tt.missed
			} else {
				h.flags[rec.Ref] = nil
			}
			v.known[uid] = rec
		}
		ch := changesHere(Upstream{Removals: true}, v, h)
		if len(ch.remove) != tt.removed || ch.waiting != tt.missing-tt.removed {
			t.Errorf("%s: %d removed and %d waiting, want %d and %d", tt.name, len(ch.remove), ch.waiting, tt.removed, tt.missing-tt.removed)
		}
		for _, rec := range ch.put {
			if !rec.Missed.Equal(now) {
				t.Errorf("%s: noted as missing at %v, want now", tt.name, rec.Missed)
			}
		}
	}
}

// TestFewStores: the same change of many messages is one change.
func TestFewStores(t *testing.T) {
	v := view{known: make(map[UID]Record)}
	h := someKeep
	h.flags = make(map[string][]Flag)
	for i := range 900 {
		uid := UID(fmt.Sprint(i))
		v.listed = append(v.listed, Summary{UID: uid})
		v.known[uid] = Record{UID: uid, Stage: Settled, Ref: string(uid)}
		h.flags[string(uid)] = flags([]string{"S", "FS", ""}[i%3])
	}
	ch := changesHere(Upstream{Flags: true}, v, h)
	if len(ch.stores) != 2 || len(ch.stores[0].uids) != 300 || len(ch.stores[1].uids) != 300 {
		t.Errorf("%d changes, want 2 of 300 messages each", len(ch.stores))
	}
}
