package retrieval_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func bySubject(h *retrieval.Head) bool { return strings.Contains(string(h.Header), "Subject: wanted") }

func TestFilter(t *testing.T) {
	const wanted, not = "Subject: wanted\r\n\r\nbody\r\n", "Subject: other\r\n\r\nSubject: wanted\r\n"
	t.Run("DropUnless", func(t *testing.T) {
		c := &collector{ref: "inner"}
		sink := retrieval.DropUnless(c, bySubject)
		m := letter("2", not)
		ref, err := sink.Deliver(t.Context(), m)
		if err != nil || ref == "inner" || m.Octets() != int64(len(not)) {
			t.Errorf("dropped as %q, %v, after %d octets", ref, err, m.Octets())
		}
		if ref, err := sink.Deliver(t.Context(), letter("1", wanted)); ref != "inner" || err != nil {
			t.Errorf("%q, %v, want the inner sink's name", ref, err)
		}
		if len(c.mails) != 1 || c.mails[0] != wanted {
			t.Errorf("the sink has %q", c.mails)
		}
	})
	t.Run("RejectUnless", func(t *testing.T) {
		c := new(collector)
		sink := retrieval.RejectUnless(c, bySubject)
		if _, err := sink.Deliver(t.Context(), letter("2", not)); !errors.Is(err, retrieval.ErrRejected) {
			t.Errorf("%v, want ErrRejected", err)
		}
		if _, err := sink.Deliver(t.Context(), letter("1", wanted)); err != nil {
			t.Error(err)
		}
		if len(c.mails) != 1 || c.mails[0] != wanted {
			t.Errorf("the sink has %q", c.mails)
		}
	})
	t.Run("a dropped message is cut short", func(t *testing.T) {
		for _, n := range []int{3, len(not) - 3} {
			body := io.MultiReader(strings.NewReader(not[:n]), iotest.ErrReader(retrieval.ErrTruncated))
			_, err := retrieval.DropUnless(new(collector), bySubject).Deliver(t.Context(), retrieval.NewMessage(testBox, retrieval.Summary{UID: "1"}, body))
			if !errors.Is(err, retrieval.ErrTruncated) {
				t.Errorf("after %d octets: %v, want ErrTruncated", n, err)
			}
		}
	})
	t.Run("a dropped message is gone", func(t *testing.T) {
		d, err := disk.OpenMaildir(filepath.Join(t.TempDir(), "mail"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		sink := retrieval.DropUnless(d, bySubject)
		ref, err := sink.Deliver(t.Context(), letter("2", not))
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.(retrieval.Mirrorer).Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard: %v, want ErrGone", err)
		}
		if _, err := sink.(retrieval.Mirrorer).SetFlags(t.Context(), ref, nil); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("SetFlags: %v, want ErrGone", err)
		}
	})
}

// The header is what there is of it, whatever it looks like, and no octet of
// the message is lost over it.
func TestHead(t *testing.T) {
	long := strings.Repeat("X: y\r\n", 100_000)
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", ""},
		{"no body", "A: b\r\n\r\n", "A: b\r\n\r\n"},
		{"body", "A: b\r\n\r\nbody", "A: b\r\n\r\n"},
		{"LF", "A: b\n\nbody\n\n", "A: b\n\n"},
		{"no header", "\r\nbody", "\r\n"},
		{"no end", "A: b\r\nC: d", "A: b\r\nC: d"},
		{"of 8 KiB", strings.Repeat("X: y\r\n", 1400) + "\r\nbody", strings.Repeat("X: y\r\n", 1400) + "\r\n"},
		{"too long", long + "\r\nbody", long[:256<<10]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var head string
			c := new(collector)
			sink := retrieval.DropUnless(c, func(h *retrieval.Head) bool {
				head = string(h.Header)
				return h.UID == "1" && h.Box == testBox
			})
			if _, err := sink.Deliver(t.Context(), letter("1", tt.data)); err != nil {
				t.Fatal(err)
			}
			if head != tt.want {
				t.Errorf("header %.100q (%d octets), want %.100q (%d)", head, len(head), tt.want, len(tt.want))
			}
			if len(c.mails) != 1 || c.mails[0] != tt.data {
				t.Errorf("the sink has %.100q", c.mails)
			}
		})
	}
}
