package transport

import (
	"fmt"
	"time"
)

// A server that sends an octet a second is never silent, and never done. So
// it has to make progress, too: while this side waits for it, it has to send
// MinProgress octets in every progressStalls stall timeouts. Only what is
// waited counts, so neither a caller who takes his time nor a session that
// lasts is of any account; and every time this side speaks the count begins
// anew, so a short answer may come as slowly as the stall timeout lets it.
//
// By default that is 2 KiB in 15 minutes, 2.3 octets a second. A line of 9,600
// baud is 400 times faster, the notes by which Dovecot tells how far a long
// search is (50 octets every 10 seconds) are twice as fast, and an octet a
// second is too slow. 17 octets a second, the 1 KiB a minute that one would
// like, would end such a search.
const (
	defaultMinProgress = 2 << 10
	progressStalls     = 15
)

// progress is what the reading side has waited for, and got for it, since this
// side spoke last or the last window ended.
type progress struct {
	trip   int64
	waited time.Duration
	got    int64
}

// wait counts a read, and returns an error when the server has had its time.
func (p *progress) wait(c *Conn, took time.Duration, n int) error {
	stall := time.Duration(c.stall.Load())
	if trip := c.trips.Load(); trip != p.trip || stall == 0 || c.least == 0 {
		*p = progress{trip: trip}
		return nil
	}
	p.waited += took
	p.got += int64(n)
	if p.waited/progressStalls < stall { // which may be so long that no product holds it
		return nil
	}
	if p.got < c.least {
		return Mark(ErrUnavailable, fmt.Errorf("only %d octets in %v of waiting", p.got, p.waited.Round(time.Second)))
	}
	*p = progress{trip: p.trip}
	return nil
}
