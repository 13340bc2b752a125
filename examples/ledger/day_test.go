package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// What an account received is shown by the hour, and can be forgotten.
func TestHours(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.ledger")
	l, err := disk.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Open(t.Context(), retrieval.Box{Account: inbox.Account})
	if err != nil {
		t.Fatal(err)
	}
	hour := retrieval.Hour{Begins: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Octets: 4711}
	if err := p.Update(t.Context(), retrieval.Change{Hours: []retrieval.Hour{hour}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"dump", "  4711 octets received in the hour from 2026-11-25T12:00:00Z\n"},
		{"dump -json", `"hours":[{"begins":"2026-11-25T12:00:00Z","octets":4711}]`},
	} {
		if out, code := call(t, append(strings.Fields(tt.args), path)...); code != 0 || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit %d, %s, want %s", tt.args, code, out, tt.want)
		}
	}
	if out, code := call(t, "forget", path, inbox.Account, ""); code != 0 {
		t.Errorf("forget: exit %d, %s", code, out)
	}
	if out, code := call(t, "dump", path); code != 0 || out != "" {
		t.Errorf("after forget: exit %d, %s", code, out)
	}
}
