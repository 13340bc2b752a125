package retrievaltest_test

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// composedSuites are suites as in suites, of which not every case can fail.
var composedSuites = map[string]func(t *testing.T, bug string){
	"tee": composedSuite(func(s retrieval.Sink) retrieval.Sink { return retrieval.Tee(s) }, func(ref string) string { return joined(ref) }),
	"filter": composedSuite(func(s retrieval.Sink) retrieval.Sink {
		return retrieval.DropUnless(s, func(*retrieval.Head) bool { return true })
	}, func(ref string) string { return ref }),
	"route": composedSuite(func(s retrieval.Sink) retrieval.Sink {
		return retrieval.Route(map[string]retrieval.Sink{"a": s}, func(*retrieval.Head) string { return "a" })
	}, func(ref string) string { return joined("a", ref) }),
	"mbox": func(t *testing.T, bug string) {
		rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest { return brokenMboxSink(t, bug) })
	},
}

func composedSuite(compose func(retrieval.Sink) retrieval.Sink, name func(ref string) string) func(t *testing.T, bug string) {
	return func(t *testing.T, bug string) {
		rt.TestSink(t, func(*testing.T) rt.SinkUnderTest {
			s := newMemorySink(bug).underTest()
			contents, reopen := s.Contents, s.Reopen
			s.Sink = compose(s.Sink)
			s.Contents = func() ([]rt.Delivered, error) {
				all, err := contents()
				for i := range all {
					all[i].Ref = name(all[i].Ref)
				}
				return all, err
			}
			s.Reopen = func() (retrieval.Sink, error) {
				inner, err := reopen()
				return compose(inner), err
			}
			return s
		})
	}
}

// brokenMbox is an mbox with a bug.
type brokenMbox struct {
	*disk.Mbox
	bug string
}

func brokenMboxSink(t *testing.T, bug string) rt.SinkUnderTest {
	path := filepath.Join(t.TempDir(), "mail")
	open := func() (retrieval.Sink, error) {
		m, err := disk.OpenMbox(path, nil)
		if err == nil {
			t.Cleanup(func() { m.Close() })
		}
		return &brokenMbox{m, bug}, err
	}
	sink, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return rt.SinkUnderTest{
		Sink:   sink,
		Reopen: open,
		Contents: func() ([]rt.Delivered, error) {
			all, err := mboxContents(path)
			for i := range all {
				if bug == "Exact" { // as a reader that knows of no CRLF
					all[i].Data = bytes.ReplaceAll(all[i].Data, []byte("\r\n"), []byte("\n"))
				}
			}
			return all, err
		},
	}
}

func (b *brokenMbox) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if b.bug == "ReadError" {
		data, _ := io.ReadAll(m)
		m = retrieval.NewMessage(m.Box, m.Summary, bytes.NewReader(data))
	}
	ref, err := b.Mbox.Deliver(ctx, m)
	if b.bug == "Refs" && err == nil {
		ref, _, _ = strings.Cut(ref, ".")
	}
	return ref, err
}

func (b *brokenMbox) Flush(ctx context.Context) error {
	if b.bug == "Durable" {
		return nil
	}
	return b.Mbox.Flush(ctx)
}

func (b *brokenMbox) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	switch b.bug {
	case "FindSince":
		intent.Since = time.Time{}
	case "FindBox":
		box = retrieval.Box{Account: "imap://user@example.com", Mailbox: "INBOX"}
	case "FindNothing":
		return "postbag", true, nil
	}
	return b.Mbox.Find(ctx, box, intent)
}

// TestComposedBugsShow shows that what is broken within a sink shows through
// one that is made of it, and that the suite sees what an mbox may do wrong.
// Some bugs do not show, because a composed sink mends them: a Tee, say,
// passes no octets together with an error.
func TestComposedBugsShow(t *testing.T) {
	for suite, bugs := range map[string][]string{
		"tee": {"Exact", "Empty", "Twins", "Refs", "Many", "Cancelled", "Durable", "FlushNothing", "FlushError", "Crash", "Find", "FindSince",
			"FindBox", "FindAfterCrash", "FindDiscarded", "Once", "OnceOtherOctets", "Flags", "SetFlags", "Discard", "Gone", "MirrorDurable"},
		"filter": {"Exact", "Empty", "Twins", "Refs", "Many", "Cancelled", "Durable", "FlushError", "Crash", "Find", "FindSince", "FindBox", "Flags", "SetFlags", "Discard", "Gone",
			"Owns", "Copies", "CopiesGone", "ChangeFlags", "Keeps"},
		"route": {"Exact", "Empty", "Twins", "Refs", "Many", "Cancelled", "Durable", "FlushError", "Crash", "Find", "FindSince", "FindBox", "Flags", "SetFlags", "Discard", "Gone",
			"Owns", "Copies", "CopiesGone", "ChangeFlags", "Keeps"},
		"mbox": {"Exact", "ReadError", "Refs", "Durable", "FindNothing", "FindSince", "FindBox"},
	} {
		t.Run(suite, func(t *testing.T) {
			_, failures := runBroken(t, suite, append(bugs, "")...)
			if len(failures[""]) > 0 {
				t.Errorf("the sound one fails %q", failures[""])
			}
			for _, bug := range bugs {
				if failures[bug][bug] == "" {
					t.Errorf("%s: nothing shows; it fails %q", bug, failures[bug])
				}
			}
		})
	}
}
