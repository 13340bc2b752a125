package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func (d *maildir) copies() map[string]string {
	d.Helper()
	all, err := d.Copies(d.Context(), inbox)
	if err != nil {
		d.Fatal(err)
	}
	text := make(map[string]string)
	for ref, flags := range all {
		slices.Sort(flags)
		text[ref] = fmt.Sprint(flags)
	}
	return text
}

func (d *maildir) wantCopies(want map[string]string) {
	d.Helper()
	if got := d.copies(); !maps.Equal(got, want) {
		d.Fatalf("there are %v, want %v", got, want)
	}
}

func TestCopies(t *testing.T) {
	d := newMaildir(t)
	a, b, c := d.deliver("1", "a"), d.deliver("2", "b", retrieval.FlagSeen), d.deliver("3", "c")
	d.wantCopies(map[string]string{a: "[]", b: `[\Seen]`, c: "[]"}) // before they are flushed
	d.flush()
	d.rename("new/"+a, "cur/"+a+":2,FPRTa")
	d.rename("cur/"+b+":2,S", "cur/"+b+":2,")
	if err := os.WriteFile(filepath.Join(d.dir, "new", "1234.foreign.host"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.wantCopies(map[string]string{a: `[$Forwarded \Answered \Deleted \Flagged]`, b: "[]", c: "[]"})
	d.rename("new/"+c, "elsewhere")
	d.wantCopies(map[string]string{a: `[$Forwarded \Answered \Deleted \Flagged]`, b: "[]"})
	for f, want := range map[retrieval.Flag]bool{`\SEEN`: true, "$forwarded": true, `\Deleted`: true, "keyword": false, "": false} {
		if d.Keeps(f) != want {
			t.Errorf("Keeps(%q) = %v", f, !want)
		}
	}
}

// What mail programs put behind a name does not hide the message.
func TestCopiesRenamed(t *testing.T) {
	for _, suffix := range []string{":2,S", ",S=1:2,S", ",S=1,W=2:2,S", ";2,S", "!2,S", ":2,SAb", ""} {
		d := newMaildir(t)
		a := d.deliver("1", "a")
		other := d.deliver("1", "another")
		d.flush()
		d.rename("new/"+a, "cur/"+a+suffix)
		want := `[\Seen]`
		if suffix == "" {
			want = "[]"
		}
		d.wantCopies(map[string]string{a: want, other: "[]"})
		if _, err := d.ChangeFlags(t.Context(), a, []retrieval.Flag{retrieval.FlagFlagged}, []retrieval.Flag{retrieval.FlagSeen}); err != nil {
			t.Errorf("%q: %v", suffix, err)
		}
		d.wantCopies(map[string]string{a: `[\Flagged]`, other: "[]"})
	}
}

// BenchmarkCopies takes stock of a large Maildir that nobody changes.
func BenchmarkCopies(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "mail")
	m, err := disk.OpenMaildir(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	for i := range 100_000 {
		if err := os.WriteFile(filepath.Join(dir, "cur", fmt.Sprintf("postbag-%032x:2,%s", i, []string{"", "S", "FS"}[i%3])), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, sub := range []string{"new", "cur"} {
		if err := os.Chtimes(filepath.Join(dir, sub), old, old); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if all, err := m.Copies(b.Context(), inbox); err != nil || len(all) != 100_000 {
			b.Fatal(len(all), err)
		}
	}
}

// A Maildir that is not there is not an empty one.
func TestCopiesOfNothing(t *testing.T) {
	for _, sub := range []string{"new", "cur", "."} {
		d := newMaildir(t)
		d.deliver("1", "a")
		d.flush()
		d.rename(sub, filepath.Join("..", "away"))
		if all, err := d.Copies(t.Context(), inbox); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: %v, %v, want fs.ErrNotExist", sub, all, err)
		}
	}
}

func TestChangeFlags(t *testing.T) {
	d := newMaildir(t)
	a := d.deliver("1", "a", retrieval.FlagSeen)
	d.flush()
	d.rename("cur/"+a+":2,S", "cur/"+a+":2,FSa") // a mail program's, of which nobody here knows
	for _, tt := range []struct {
		add, remove []retrieval.Flag
		want        string
	}{
		{[]retrieval.Flag{retrieval.FlagAnswered}, nil, "FRSa"},
		{[]retrieval.Flag{"keyword"}, []retrieval.Flag{`\seen`, retrieval.FlagDraft}, "FRa"},
		{nil, []retrieval.Flag{retrieval.FlagFlagged, retrieval.FlagAnswered}, "a"},
	} {
		ref, err := d.ChangeFlags(t.Context(), a, tt.add, tt.remove)
		if err != nil || ref != a {
			t.Fatalf("%q, %v", ref, err)
		}
		d.want("cur/" + a + ":2," + tt.want + "=a")
	}
	if _, err := d.ChangeFlags(t.Context(), "postbag-00", nil, nil); !errors.Is(err, retrieval.ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
}

// A message that a mail program renames while the folders are read is never
// missing.
func TestCopiesWhileRenamed(t *testing.T) {
	d := newMaildir(t)
	var refs []string
	for i := range 600 {
		refs = append(refs, d.deliver(fmt.Sprint(i), "x"))
	}
	d.flush()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		from, to := "new/%s", "cur/%s:2,"
		for round := 0; ; round++ {
			for _, ref := range refs {
				select {
				case <-stop:
					return
				default:
				}
				os.Rename(filepath.Join(d.dir, fmt.Sprintf(from, ref)), filepath.Join(d.dir, fmt.Sprintf(to, ref)))
			}
			from, to = to, []string{"cur/%s:2,S", "cur/%s:2,"}[round%2]
		}
	})
	for range 60 {
		if n := len(d.copies()); n != len(refs) {
			t.Errorf("%d of %d are there", n, len(refs))
		}
	}
	close(stop)
	wg.Wait()
}
