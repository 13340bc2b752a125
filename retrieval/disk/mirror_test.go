package disk_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

func (d *maildir) setFlags(ref string, flags ...retrieval.Flag) {
	d.Helper()
	if got, err := d.SetFlags(d.Context(), ref, flags); err != nil || got != ref {
		d.Fatalf("SetFlags = %q, %v, want %q", got, err, ref)
	}
	d.flush()
}

func TestSetFlags(t *testing.T) {
	d := newMaildir(t)
	ref := d.deliver("1.1", "x")
	d.flush()
	d.setFlags(ref)
	d.want("new/" + ref + "=x") // no flags: still new
	d.setFlags(ref, retrieval.FlagSeen, "$Junk")
	d.want("cur/" + ref + ":2,S=x")
	d.setFlags(ref, retrieval.FlagAnswered, retrieval.FlagDraft)
	d.want("cur/" + ref + ":2,DR=x")
	d.rename("cur/"+ref+":2,DR", "cur/"+ref+":2,DRSbX") // by a mail program
	d.setFlags(ref, retrieval.FlagFlagged)
	d.want("cur/" + ref + ":2,FXb=x")
	d.open()
	d.setFlags(ref)
	d.want("cur/" + ref + ":2,Xb=x")
}

func TestDiscard(t *testing.T) {
	d := newMaildir(t)
	a, b, c := d.deliver("1", "a"), d.deliver("2", "b"), d.deliver("3", "c", retrieval.FlagSeen)
	d.flush()
	d.rename("new/"+b, "cur/"+b+":2,S")
	for _, ref := range []string{b, c} {
		if err := d.Discard(t.Context(), ref); err != nil {
			t.Error(err)
		}
	}
	d.flush()
	d.want("new/" + a + "=a")
	for _, ref := range []string{b, "", "new", "../new/" + a, "postbag-"} {
		if err := d.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard(%q) = %v, want ErrGone", ref, err)
		}
		if _, err := d.SetFlags(t.Context(), ref, nil); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("SetFlags(%q) = %v, want ErrGone", ref, err)
		}
	}
	d.want("new/" + a + "=a")
}

// What has been delivered but not flushed can be changed too.
func TestMirrorBeforeFlush(t *testing.T) {
	d := newMaildir(t)
	a, b := d.deliver("1", "a"), d.deliver("2", "b")
	if err := d.Discard(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetFlags(t.Context(), b, []retrieval.Flag{retrieval.FlagSeen}); err != nil {
		t.Fatal(err)
	}
	d.flush()
	d.want("cur/" + b + ":2,S=b")
	if left := d.list("tmp"); len(left) > 0 {
		t.Errorf("tmp holds %q", left)
	}
}

func TestFind(t *testing.T) {
	d := newMaildir(t)
	find := func(uid string, since time.Time) string {
		t.Helper()
		ref, found, err := d.Find(t.Context(), inbox, retrieval.Record{UID: retrieval.UID(uid), Since: since})
		if err != nil || found != (ref != "") {
			t.Fatalf("Find = %q, %v, %v", ref, found, err)
		}
		return ref
	}
	before := time.Now()
	if got := find("1", before); got != "" {
		t.Errorf("found %q in an empty Maildir", got)
	}
	ref := d.deliver("1", "x")
	d.flush()
	after := time.Now()
	for _, name := range []string{"new/" + ref, "cur/" + ref + ":2,", "cur/" + ref + ":2,FSq"} {
		d.rename(d.only(), name)
		if got := find("1", before); got != ref {
			t.Errorf("as %s: found %q, want %q", name, got, ref)
		}
		if got := find("1", after); got != "" {
			t.Errorf("as %s: found %q, which is from before the intent", name, got)
		}
	}
	second := d.deliver("1", "another message with this UID")
	d.flush()
	if got := find("1", after); got != second {
		t.Errorf("found %q, want the second, %q", got, second)
	}
	if got := find("2", before); got != "" {
		t.Errorf("found %q for a message that was not delivered", got)
	}
}

// only returns the one file there is.
func (d *maildir) only() string {
	d.Helper()
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(d.dir, sub))
		if err != nil {
			d.Fatal(err)
		}
		for _, e := range entries {
			return sub + "/" + e.Name()
		}
	}
	d.Fatal("no file")
	return ""
}

// A crash at any stage of a delivery: what Find says must be what a mail
// program sees, and a second delivery must leave one file.
func TestCrashStages(t *testing.T) {
	for _, tt := range []struct {
		stage string
		crash func(d *maildir)
		found bool
	}{
		{"before anything", func(d *maildir) {}, false},
		{"while writing", func(d *maildir) {
			os.WriteFile(filepath.Join(d.dir, "tmp", d.deliver("9", "")+".0123456789abcdef"), []byte("ha"), 0o600)
		}, false},
		{"before Flush", func(d *maildir) {
			ref := d.deliver("1", "half")
			d.Close()
			os.WriteFile(filepath.Join(d.dir, "tmp", ref+".0123456789abcdef"), []byte("half"), 0o600)
		}, false},
		{"after Flush", func(d *maildir) {
			d.deliver("1", "half")
			d.flush()
		}, true},
		{"read by a mail program", func(d *maildir) {
			ref := d.deliver("1", "half")
			d.flush()
			d.rename("new/"+ref, "cur/"+ref+":2,S")
		}, true},
	} {
		t.Run(tt.stage, func(t *testing.T) {
			d := newMaildir(t)
			since := time.Now()
			tt.crash(d)
			d.open()
			_, found, err := d.Find(t.Context(), inbox, retrieval.Record{UID: "1", Since: since})
			if err != nil || found != tt.found {
				t.Errorf("found %v, %v, want %v", found, err, tt.found)
			}
			d.deliver("1", "half")
			d.flush()
			if got := d.list("new", "cur"); len(got) != 1 {
				t.Errorf("%q, want one file", got)
			}
		})
	}
}

// In a large Maildir no call may read the folders again without need.
func TestLargeMaildir(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 files in short mode")
	}
	d := newMaildir(t)
	const n = 10_000
	var ref string
	for i := range n {
		name := fmt.Sprintf("postbag-%032x", i)
		if err := os.WriteFile(filepath.Join(d.dir, "cur", name+":2,"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		ref = name
	}
	d.setFlags(ref) // reads the folders
	reads := 0
	d.OnRead(func() { reads++ })
	for i := range 2000 {
		name := fmt.Sprintf("postbag-%032x", i)
		if _, err := d.SetFlags(t.Context(), name, []retrieval.Flag{retrieval.FlagSeen}); err != nil {
			t.Fatal(err)
		}
		if err := d.Discard(t.Context(), fmt.Sprintf("postbag-%032x", n+i)); !errors.Is(err, retrieval.ErrGone) {
			t.Fatal(err)
		}
	}
	// Who looks for what is gone reads them once in a second at most, to be sure.
	if reads > 500 {
		t.Errorf("the folders were read %d times for 2000 changes and 2000 messages that are gone", reads)
	}
}
