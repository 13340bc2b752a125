package retrievaltest_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestMaildir(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		dir := filepath.Join(t.TempDir(), "mail")
		open := func() (retrieval.Sink, error) {
			d, err := disk.OpenMaildir(dir)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { d.Close() })
			return d, nil
		}
		sink, err := open()
		if err != nil {
			t.Fatal(err)
		}
		return rt.SinkUnderTest{
			Sink:       sink,
			Contents:   func() ([]rt.Delivered, error) { return maildirContents(dir) },
			Reopen:     open,
			Once:       true,
			Concurrent: true,
		}
	})
}

func TestMaildirPlus(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		dir := filepath.Join(t.TempDir(), "mail")
		open := func() (retrieval.Sink, error) {
			d, err := disk.OpenMaildirPlus(dir, &disk.MaildirPlusOptions{MaxOpen: 2})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { d.Close() })
			return d, nil
		}
		sink, err := open()
		if err != nil {
			t.Fatal(err)
		}
		contents := func() ([]rt.Delivered, error) {
			folders, err := filepath.Glob(filepath.Join(dir, ".*", "maildirfolder"))
			if err != nil {
				return nil, err
			}
			var all []rt.Delivered
			for _, marker := range append(folders, filepath.Join(dir, "maildirfolder")) {
				in, err := maildirContents(filepath.Dir(marker))
				if err != nil {
					return nil, err
				}
				folder, _ := filepath.Rel(dir, filepath.Dir(marker))
				for _, d := range in {
					d.Ref = strings.TrimPrefix(folder, "./") + "/" + d.Ref
					if folder == "." {
						d.Ref = d.Ref[1:]
					}
					all = append(all, d)
				}
			}
			return all, nil
		}
		return rt.SinkUnderTest{Sink: sink, Contents: contents, Reopen: open, Once: true, Concurrent: true}
	})
}

func maildirContents(dir string) ([]rt.Delivered, error) {
	var all []rt.Delivered
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, sub, e.Name()))
			if err != nil {
				return nil, err
			}
			ref, info, _ := strings.Cut(e.Name(), ":2,")
			d := rt.Delivered{Ref: ref, Data: data}
			for _, letter := range info {
				d.Flags = append(d.Flags, map[rune]retrieval.Flag{
					'S': retrieval.FlagSeen, 'F': retrieval.FlagFlagged, 'R': retrieval.FlagAnswered, 'D': retrieval.FlagDraft,
				}[letter])
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// TestSinkFunc is a sink that can nothing but Deliver.
func TestSinkFunc(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		var all []rt.Delivered
		return rt.SinkUnderTest{
			Sink: retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				data, err := io.ReadAll(m)
				if err == nil {
					all = append(all, rt.Delivered{Data: data})
				}
				return err
			}),
			Contents: func() ([]rt.Delivered, error) { return all, nil },
		}
	})
}

// TestMemorySink is the sink whose broken forms show that each case can fail.
func TestMemorySink(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest { return newMemorySink("").underTest() })
}
