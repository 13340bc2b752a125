package retrieval

import (
	"context"
	"iter"
	"slices"
)

// guessHeader is how large a header section may be.
const guessHeader = 4 << 10

// allot leaves out of a plan what there is no room for. What is left once, in
// whichever mailbox, is waited for.
func (d *day) allot(pl *plan) error {
	if d == nil || d.err != nil {
		return d.failure()
	}
	room := d.room()
	for i := range pl.deliver {
		cost := pl.deliver[i].cost()
		need := min(cost, d.most())
		if d.blocked || room < need {
			d.blocked = true
			d.leave(need)
			pl.skipped += len(pl.deliver) - i
			pl.open, pl.more = true, true
			pl.deliver = pl.deliver[:i]
			break
		}
		room -= cost
		if d.dry {
			d.planned += cost
		}
	}
	return nil
}

// cost is about how much comes over the wire for a message: there are TLS, the
// server's words, and sizes that are told with shorter line ends.
func (j *job) cost() int64 {
	size := min(max(j.Size, j.past.Size, 0), 1<<50) // what the server says may be anything
	if j.headerOnly {
		size = min(size, guessHeader)
	}
	return size + size/32 + 512
}

// headers returns what get retrieves, header sections of unknown size that a
// filter asks for: in parts, and no more than takes half of the room. The other
// half is for the messages that are wanted, or they would never come.
func (d *day) headers(get getter) getter {
	if d == nil {
		return get
	}
	return func(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
		return func(yield func(*Message, error) bool) {
			least := d.room() / 2
			for part := range slices.Chunk(uids, int(max(d.portion()/guessHeader, 1))) {
				if d.room() < least || d.err != nil {
					d.leave(d.most())
					return
				}
				for m, err := range get(ctx, part...) {
					if !yield(m, err) {
						return
					}
				}
			}
		}
	}
}

// most is the most room that anything waits for.
func (d *day) most() int64 { return d.limit - d.limit/8 }

// parts cuts what is asked for at a time into parts of a portion, so that no
// more than one is under way when the room turns out to be too small.
func (d *day) parts(all [][]job) [][]job {
	if d == nil {
		return all
	}
	var parts [][]job
	for _, jobs := range all {
		from, octets := 0, int64(0)
		for i := range jobs {
			cost := jobs[i].cost()
			if i > from && octets+cost > d.portion() {
				parts = append(parts, jobs[from:i])
				from, octets = i, 0
			}
			octets += cost
		}
		parts = append(parts, jobs[from:])
	}
	return parts
}
