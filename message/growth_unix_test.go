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
// what else the machine does hardly counts.
func TestGrowth(t *testing.T) {
	if os.Getenv("POSTBAG_TIMES") == "" {
		t.Skip("POSTBAG_TIMES=1 measures times")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const limit = 2.2
	worst, worstName := 0.0, ""
	t.Logf("%-42s %8s %9s   %-24s %s", "family", "to kB", "ms", "time(2n)/time(n)", "fit")
	for _, f := range hostile() {
		s := measure(t, f)
		ratios := ""
		for i := 1; i < len(s.least); i++ {
			ratios += fmt.Sprintf("%.2f  ", float64(s.least[i])/float64(s.least[i-1]))
		}
		fit := s.growth()
		t.Logf("%-42s %8d %9.2f   %-24s %.2f", f.name, s.n<<doublings/1000, float64(s.least[doublings])/1e6, ratios, fit)
		if fit > worst {
			worst, worstName = fit, f.name
		}
		if fit > limit {
			t.Errorf("%s: twice the size takes %.2f times the time", f.name, fit)
		}
	}
	t.Logf("the worst is %.2f: %s", worst, worstName)
}

const doublings = 4

// series is how long messages of n, 2n, 4n … octets took.
type series struct {
	n     int
	least [doublings + 1]time.Duration
}

func measure(t *testing.T, f family) series {
	const (
		least, most        = 25_000, 800_000 // octets of the smallest
		enough             = time.Millisecond
		rounds, mostRounds = 5, 30
	)
	s := series{n: least}
	for s.n < most && took(t, f, s.n) < enough {
		s.n *= 2
	}
	for i := range s.least {
		s.least[i] = time.Hour
	}
	for round := 0; round < rounds || round < mostRounds && s.growth() > 2.1; round++ {
		for i := range s.least {
			s.least[i] = min(s.least[i], took(t, f, s.n<<i))
		}
	}
	return s
}

// growth fits a line through the logarithms of the times.
func (s series) growth() float64 {
	var sum float64
	middle := float64(doublings) / 2
	squares := 0.0
	for i, d := range s.least {
		x := float64(i) - middle
		sum += x * math.Log2(float64(max(d, 1)))
		squares += x * x
	}
	return math.Exp2(sum / squares)
}

// took returns how much of the processors' time it takes to do everything
// with a message of n octets.
func took(t *testing.T, f family, n int) time.Duration {
	data := []byte(f.make(n))
	runtime.GC()
	start := processorTime(t)
	if err := everything(bytes.NewReader(data), unbounded); err != nil {
		t.Errorf("%s: %v", f.name, err)
	}
	return processorTime(t) - start
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
