package retrieval

import "time"

// Clock is a mailbox's own time, by which the age of what was delivered is
// counted. It follows this machine's clock, but what passes between two runs
// counts as no less than nothing and no more than [MaxGap]: a clock that jumps
// can put deletions off for good, and each jump ahead brings them forward by a
// week at most.
type Clock struct {
	Time time.Time // what it shows
	Wall time.Time // what the machine's clock showed then
}

// MaxGap is the most that a [Clock] advances between two runs.
const MaxGap = 7 * 24 * time.Hour

// at returns the clock when the machine's shows now.
func (c Clock) at(now time.Time) Clock {
	now = now.Round(0).UTC()
	if c.Wall.IsZero() {
		return Clock{now, now}
	}
	return Clock{c.Time.Add(min(max(now.Sub(c.Wall), 0), MaxGap)), now}
}
