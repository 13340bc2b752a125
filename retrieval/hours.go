package retrieval

import (
	"slices"
	"time"
)

// counted is for how long an [Hour] counts from its beginning, so that each
// octet in it does for a day at least.
const counted = 25 * time.Hour

// hourOf returns the beginning of the hour that a time is in.
func hourOf(t time.Time) time.Time { return t.Round(0).UTC().Truncate(time.Hour) }

// current returns the hours that count at a time. One that is still to come is
// of a clock that was lost, and counts as the one that has begun.
func current(hours []Hour, now time.Time) []Hour {
	var left []Hour
	for _, h := range hours {
		if h.Octets <= 0 || now.Sub(h.Begins) >= counted {
			continue
		}
		if h.Begins.After(now) {
			h.Begins = hourOf(now)
		}
		left = append(left, h)
	}
	slices.SortStableFunc(left, func(a, b Hour) int { return a.Begins.Compare(b.Begins) })
	return left
}

// received adds octets to the hour that began at a time; fewer than none take
// away, as far as there are some. Of hours that do not count any more nothing
// can be taken.
func received(hours []Hour, begins time.Time, octets int64) []Hour {
	i, ok := slices.BinarySearchFunc(hours, begins, func(h Hour, t time.Time) int { return h.Begins.Compare(t) })
	switch {
	case ok && hours[i].Octets+octets > 0:
		hours[i].Octets += octets
	case ok:
		hours = slices.Delete(hours, i, i+1)
	case octets > 0:
		hours = slices.Insert(hours, i, Hour{begins, octets})
	}
	return hours
}

// sum returns how much was received in some hours.
func sum(hours []Hour) (octets int64) {
	for _, h := range hours {
		octets += h.Octets
	}
	return octets
}

// roomIn returns how long it is until so many hours do not count any more that
// no more than most octets do.
func roomIn(hours []Hour, now time.Time, most int64) time.Duration {
	octets := sum(hours)
	for _, h := range hours {
		if octets <= most {
			break
		}
		octets -= h.Octets
		if octets <= most {
			return h.Begins.Add(counted).Sub(now)
		}
	}
	return 0
}
