package disk_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// A Flush that fails, or a batch that ends, drops what that run delivered and
// nothing that others did.
func TestBatches(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.OpenMaildir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var _ retrieval.Batcher = d
	one, two := d.Batch(), d.Batch()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for i, s := range []retrieval.Sink{one, two, d} {
		if _, err := s.Deliver(t.Context(), message("same", []string{"first", "second", "third"}[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.(retrieval.Flusher).Flush(cancelled); err == nil {
		t.Fatal("a cancelled Flush came to its end")
	}
	wantNew(t, dir)
	if err := two.(retrieval.Flusher).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNew(t, dir, "second")
	if err := two.(*disk.MaildirBatch).Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNew(t, dir, "second", "third")
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("tmp holds %v", left)
	}
}

func wantNew(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, "new", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		have[string(data)] = true
	}
	if len(have) != len(want) {
		t.Fatalf("new holds %v, want %q", have, want)
	}
	for _, w := range want {
		if !have[w] {
			t.Fatalf("new holds %v, want %q", have, want)
		}
	}
}
