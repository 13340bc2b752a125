package retrieval_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func TestRoute(t *testing.T) {
	dir := t.TempDir()
	sinks := make(map[string]retrieval.Sink)
	for _, name := range []string{"work", "home:1", ""} {
		d, err := disk.OpenMaildir(filepath.Join(dir, "at"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		sinks[name] = d
	}
	to := ""
	sink := retrieval.Route(sinks, func(*retrieval.Head) string { return to }).(maildir)
	for i, name := range []string{"work", "home:1", ""} {
		to = name
		uid := fmt.Sprint(i)
		since := time.Now()
		ref, err := sink.Deliver(t.Context(), letter(uid, name))
		if err == nil {
			err = sink.Flush(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "at"+name, "new", "*"))
		if len(files) != 1 {
			t.Errorf("%q: delivered are %q", name, files)
		}
		to = "elsewhere"
		if found, ok, err := sink.Find(t.Context(), testBox, retrieval.Record{UID: retrieval.UID(uid), Since: since}); found != ref || !ok || err != nil {
			t.Errorf("%q: Find = %q, %v, %v, want %q", name, found, ok, err, ref)
		}
		ref, err = sink.SetFlags(t.Context(), ref, []retrieval.Flag{retrieval.FlagSeen})
		if err == nil {
			err = sink.Discard(t.Context(), ref)
		}
		if err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := sink.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("%q: discarded twice: %v, want ErrGone", name, err)
		}
	}
	if _, err := sink.Deliver(t.Context(), letter("9", "x")); !errors.Is(err, retrieval.ErrDeferred) {
		t.Errorf("a sink that is not there: %v, want ErrDeferred", err)
	}
	for _, ref := range []string{"", "work", "4:work", "9:elsewhere1:x", "4:work99:x", "4:work-1:x", "4:work1:x1:y", "999999999999999999999:x"} {
		if err := sink.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard of %q: %v, want ErrGone", ref, err)
		}
	}
}
