//go:build unix

package message_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// TestGrowth prints, for each family of hostile messages, how the time grows
// when the size doubles, over four doublings: the slope of a line through the
// logarithms, so 2.00 is in proportion and 4.00 quadratic. It is for a person:
//
//	POSTBAG_TIMES=1 go test ./message -run TestGrowth -v
//
// The time is what the process had of the processors, without the garbage
// collector's, and the least of several rounds, in which the sizes take turns:
// what else the machine does hardly counts. What goes by as fast as memory is
// copied is measured at larger sizes than the rest, beyond the steps of buffers
// and caches; what is slow at any size is an error.
func TestGrowth(t *testing.T) {
	if os.Getenv("POSTBAG_TIMES") == "" {
		t.Skip("POSTBAG_TIMES=1 measures times")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const (
		limit           = 2.2
		slowest, memory = 1, 500 // MB/s
	)
	worst, worstName := 0.0, ""
	t.Logf("%-42s %6s %9s   %-24s %s", "family", "to kB", "ms", "time(2n)/time(n)", "fit")
	for _, f := range hostile() {
		smallest := smallest
		s := measure(t, f, smallest)
		if mb := float64(smallest<<doublings) / 1e6; mb/s[doublings].Seconds() > memory {
			// It is copied: between these sizes lie those of buffers and caches.
			smallest *= 8
			s = measure(t, f, smallest)
		}
		ratios := ""
		for i := 1; i < len(s); i++ {
			ratios += fmt.Sprintf("%.2f  ", float64(s[i])/float64(s[i-1]))
		}
		fit := s.growth()
		t.Logf("%-42s %6d %9.2f   %-24s %.2f", f.name, smallest<<doublings/1000, float64(s[doublings])/1e6, ratios, fit)
		if fit > worst {
			worst, worstName = fit, f.name
		}
		if fit > limit {
			t.Errorf("%s: twice the size takes %.2f times the time", f.name, fit)
		}
		for i, d := range s { // a fit says nothing of what is slow only when it is small
			size := smallest << i
			if speed := float64(size) / 1e6 / d.Seconds(); speed < slowest {
				t.Errorf("%s: %d kB at %.2f MB/s", f.name, size/1000, speed)
			}
		}
	}
	t.Logf("the worst is %.2f: %s", worst, worstName)
}

const (
	doublings = 4
	smallest  = 12_500 // octets
)

// series is how long each of the sizes took, a message.
type series [doublings + 1]time.Duration

// measure measures a family from a size on.
func measure(t *testing.T, f family, smallest int) series {
	const (
		enough             = 4 * time.Millisecond // for each sample
		rounds, mostRounds = 3, 30
	)
	var sizes [doublings + 1][]byte
	var least series
	for i := range sizes {
		sizes[i] = []byte(f.make(smallest << i))
		least[i] = time.Hour
	}
	// Each sample is of as many octets: so all make as much garbage, and differ
	// in nothing but the size of a message.
	times := 1
	for times < 64 && time.Duration(times)*took(t, f, sizes[doublings], 1) < enough {
		times *= 2
	}
	for round := 0; round < rounds || round < mostRounds && least.growth() > 2.1; round++ {
		for i, data := range sizes {
			least[i] = min(least[i], took(t, f, data, times<<(doublings-i)))
		}
	}
	return least
}

// growth fits a line through the logarithms of the times.
func (s series) growth() float64 {
	var sum float64
	middle := float64(doublings) / 2
	squares := 0.0
	for i, d := range s {
		x := float64(i) - middle
		sum += x * math.Log2(float64(max(d, 1)))
		squares += x * x
	}
	return math.Exp2(sum / squares)
}

// took returns how much of the processors' time it takes to do everything
// with a message, doing it so many times.
func took(t *testing.T, f family, data []byte, times int) time.Duration {
	runtime.GC()
	start := processorTime(t)
	for range times {
		if err := everything(bytes.NewReader(data), unbounded); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	return (processorTime(t) - start) / time.Duration(times)
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
