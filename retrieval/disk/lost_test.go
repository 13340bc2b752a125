package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// home is a Maildir with a ledger, and an account on a server in process.
type home struct {
	*testing.T
	dir    string
	server *retrievaltest.Server
	acct   retrieval.Account
}

func newHome(t *testing.T, p retrieval.Protocol) *home {
	h := &home{T: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, nil)}
	h.acct = h.server.Account(p)
	for i := range 5 {
		h.server.Deliver(fmt.Appendf(nil, "Subject: %d\r\nMessage-ID: <%d@example.com>\r\n\r\nHello.\r\n", i, i))
	}
	h.run(5)
	return h
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) tryRun() (retrieval.Report, error) {
	l, err := disk.OpenLedger(h.path("ledger"))
	if err != nil {
		return retrieval.Report{}, err
	}
	defer l.Close()
	d, err := disk.OpenMaildir(h.path("mail"))
	if err != nil {
		return retrieval.Report{}, err
	}
	defer d.Close()
	return retrieval.Run(h.Context(), h.acct, d, l)
}

// run runs and wants so many to be delivered.
func (h *home) run(delivered int) {
	h.Helper()
	if rep, err := h.tryRun(); err != nil || rep.Delivered != delivered {
		h.Fatalf("%d delivered, %v, want %d", rep.Delivered, err, delivered)
	}
}

// lost runs and wants ErrStateLost, and nothing changed here or there.
func (h *home) lost() {
	h.Helper()
	files, there := h.files(), h.server.Contents()
	if rep, err := h.tryRun(); !errors.Is(err, retrieval.ErrStateLost) || rep.Delivered+rep.Deleted > 0 {
		h.Fatalf("%+v, %v, want ErrStateLost", rep, err)
	}
	if !reflect.DeepEqual(h.files(), files) || !reflect.DeepEqual(h.server.Contents(), there) {
		h.Error("something was done")
	}
}

func (h *home) files() []string {
	h.Helper()
	files, err := filepath.Glob(h.path("mail/new/*"))
	if err != nil {
		h.Fatal(err)
	}
	return files
}

func (h *home) remove(name string) {
	h.Helper()
	if err := os.Remove(name); err != nil {
		h.Fatal(err)
	}
}

func (h *home) wantFiles(n int) {
	h.Helper()
	if got := len(h.files()); got != n {
		h.Errorf("%d files in new, want %d", got, n)
	}
}

// TestStateLost is what becomes of a mailbox whose ledger is not what it was,
// or whose mail is not. F129, F130.
func TestStateLost(t *testing.T) {
	both := func(name string, test func(*home)) {
		for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
			t.Run(name+" "+string(p), func(t *testing.T) {
				h := newHome(t, p)
				h.acct.Policy = retrieval.DownloadAndDelete
				if name == "mail" {
					h.acct.Policy = retrieval.LeaveOnServer
				}
				test(h)
			})
		}
	}
	both("ledger removed", func(h *home) {
		h.remove(h.path("ledger"))
		h.lost()
		h.acct.Reset = retrieval.Refetch
		h.run(5) // and none twice
		h.wantFiles(5)
		if left := len(h.server.Contents()); left > 0 {
			h.Errorf("%d are left on the server", left)
		}
	})
	both("ledger of another", func(h *home) {
		other := newHome(h.T, h.acct.Protocol)
		h.remove(h.path("ledger"))
		if err := os.Rename(other.path("ledger"), h.path("ledger")); err != nil {
			h.Fatal(err)
		}
		h.lost()
	})
	both("ledger empty", func(h *home) {
		if err := os.Truncate(h.path("ledger"), 0); err != nil {
			h.Fatal(err)
		}
		h.lost()
	})
	both("ledger damaged, then repaired", func(h *home) {
		data, err := os.ReadFile(h.path("ledger"))
		if err != nil {
			h.Fatal(err)
		}
		name := []byte(filepath.Base(h.files()[0]))
		data = bytes.ReplaceAll(data, name, append(bytes.Clone(name[:len(name)-1]), 'x'))
		if err := os.WriteFile(h.path("ledger"), data, 0o600); err != nil {
			h.Fatal(err)
		}
		h.lost()
		if _, err := disk.Repair(h.Context(), h.path("ledger"), h.path("repaired")); err != nil {
			h.Fatal(err)
		}
		if err := os.Rename(h.path("repaired"), h.path("ledger")); err != nil {
			h.Fatal(err)
		}
		if rep, err := h.tryRun(); err != nil || rep.Delivered != 1 || rep.Deleted != 5 {
			h.Errorf("%+v, %v, want the one delivered whose record was damaged, and all deleted", rep, err)
		}
		h.wantFiles(5)
	})
	both("backup put back", func(h *home) {
		data, err := os.ReadFile(h.path("ledger"))
		if err != nil {
			h.Fatal(err)
		}
		h.acct.Policy = retrieval.LeaveOnServer
		h.server.Deliver([]byte("Subject: later\r\n\r\n"))
		h.run(1)
		if err := os.WriteFile(h.path("ledger"), data, 0o600); err != nil {
			h.Fatal(err)
		}
		h.run(1) // again, and the Maildir has it
		h.wantFiles(6)
	})
	// The ledger says settled and the Maildir has it no more: that is believed,
	// because people remove mail. To forget the record brings it back.
	both("mail", func(h *home) {
		h.remove(h.files()[0])
		h.run(0)
		h.wantFiles(4)
		l := openLedger(h.T, h.path("ledger"))
		box := h.acct.Box()
		var gone []retrieval.UID
		for uid, r := range load(h.T, l, box) {
			if _, err := os.Stat(h.path("mail/new/" + r.Ref)); err != nil {
				gone = append(gone, uid)
			}
		}
		if err := change(h.T, l, box, retrieval.Change{Forget: gone, Cursor: []byte{}}); err != nil {
			h.Fatal(err)
		}
		l.Close()
		h.run(len(gone))
		h.wantFiles(5)
	})
}
