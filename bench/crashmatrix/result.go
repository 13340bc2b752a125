package main

import (
	"fmt"
	"slices"
	"strings"
)

// result is what a fault and two more sessions have led to.
type result struct {
	dup      int // copies beyond the first
	lost     int // neither here nor on the server
	left     int // to be deleted, and still on the server; in other modes: there and not here
	foreign  int // deleted although that was another client's to do
	damaged  int // here, with other octets
	forged   int // here as a message, but never sent as one
	hang     bool
	died     bool
	idle     bool // the program does not take the step at which the fault is
	measured bool
	err      error // of the measurement
}

func (r *result) judge(c *cell, got copies, sent map[string][]byte, held [][]byte, prelude bool) {
	r.measured = true
	there := make(map[string]bool)
	for _, data := range held {
		there[tokenOf(data)] = true
	}
	for token := range sent {
		here := got.intact[token]
		r.dup += max(here-1, 0)
		switch {
		case token == foreign:
			if !there[token] && (here == 0 || c.mode == leave) {
				r.foreign++
			}
		case prelude && token == "m1": // the user has deleted it here
			if there[token] {
				r.left++
			}
			r.dup += min(here, 1)
		case there[token]:
			if c.mode == remove || here == 0 {
				r.left++
			}
		case here == 0 && !(c.imap != nil && slices.Contains(c.imap.gone, token)):
			r.lost++
		}
	}
	for token, n := range got.damaged {
		if _, ok := sent[token]; ok {
			r.damaged += n
		} else {
			r.forged += n
		}
	}
	r.forged += got.junk
}

// clean says whether all is as it should be, or as good as it can be.
func (r result) clean(best string) bool {
	return r.idle || r.String() == "0/0/0" || r.String() == best
}

// String is as in the page.
func (r result) String() string {
	switch {
	case r.err != nil:
		return "not measured: " + r.err.Error()
	case !r.measured:
		return "?"
	case r.idle:
		return "–"
	}
	words := []string{fmt.Sprintf("%d/%d/%d", r.dup, r.lost, r.left)}
	add := func(n int, what string) {
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(r.foreign, "foreign")
	add(r.damaged, "damaged")
	add(r.forged, "forged")
	if r.hang {
		words = append(words, "hang")
	}
	if r.died {
		words = append(words, "crash")
	}
	return strings.Join(words, ", ")
}
