package imapclient_test

import (
	"errors"
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

func TestMatchingSaved(t *testing.T) {
	const search, fetch = "C: a1 UID SEARCH RETURN (SAVE) ALL", "C: a2 UID FETCH $ (UID FLAGS INTERNALDATE RFC822.SIZE)"
	const date = `INTERNALDATE "17-Jul-1996 02:44:25 -0700"`
	for _, tt := range []struct {
		name, found, row, want string
		changed                int
	}{
		{"a size that is none", "OK", "(UID 5 FLAGS () " + date + " RFC822.SIZE NIL)", "5 ", 0},
		{"a date that is none", "OK", "(UID 5 FLAGS () INTERNALDATE NIL RFC822.SIZE 5)", "5 ", 0},
		{"flags of another message", "OK", "(UID 5 FLAGS (x))", "", 1},
		// "$" is what another search has found.
		{"refused", "BAD", "(UID 5 FLAGS () " + date + " RFC822.SIZE 5)", "BAD ", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, "ESEARCH SEARCHRES", lines(search, fetch, "S: a1 "+tt.found, "S: * 1 FETCH "+tt.row, "S: a2 OK", "C: a3 NOOP", "S: a3 OK"))
			got := ""
			for s, err := range c.Matching(t.Context(), nil) {
				if e := (*imapclient.Error)(nil); errors.As(err, &e) {
					got += e.Status + " "
					continue
				}
				got += fmt.Sprint(s.UID, " ")
			}
			a, err := c.Noop(t.Context())
			if got != tt.want || a.Changed != tt.changed || err != nil {
				t.Errorf("%q, %+v, %v, want %q and %d changed", got, a, err, tt.want, tt.changed)
			}
		})
	}
}
