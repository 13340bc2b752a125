package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationVar is the value of a flag that is a time: 90s, 36h, 30d, 1d12h.
func durationVar(d *time.Duration) func(string) error {
	return func(s string) (err error) {
		*d, err = parseDuration(s)
		return err
	}
}

func parseDuration(s string) (time.Duration, error) {
	bad := errors.New("not a duration such as 30d, 36h or 90s")
	var sum time.Duration
	rest := s
	if days, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16) // 179 years
		if err != nil {
			return 0, bad
		}
		sum, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" || sum == 0 && rest == s {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || sum > math.MaxInt64-d {
			return 0, bad
		}
		sum += d
	}
	if sum == 0 {
		return 0, errors.New("no time at all")
	}
	return sum, nil
}

// sizeVar is the value of a flag that is a number of octets: 500KB, 10MB.
func sizeVar(n *int64) func(string) error {
	return func(s string) (err error) {
		*n, err = parseSize(s)
		return err
	}
}

var sizeUnits = []struct {
	name string
	n    int64
}{{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func parseSize(s string) (int64, error) {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(strings.ToUpper(s), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || int64(n) > math.MaxInt64/unit.n {
			break
		}
		if n == 0 {
			return 0, errors.New("no size at all")
		}
		return int64(n) * unit.n, nil
	}
	return 0, errors.New("not a size such as 500KB or 10MB")
}
