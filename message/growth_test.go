package message_test

import (
	"bytes"
	"runtime"
	"testing"
)

// What hostile messages make the parser do is in proportion to their size:
// of 8 times the octets, less than 16 times the allocations come, in number
// and in octets; quadratic would be 64 times. [TestGrowth] measures the time.
func TestHostile(t *testing.T) {
	const n, times = 5_000, 8
	for _, f := range hostile() {
		small, large := allocations(t, f, n), allocations(t, f, times*n)
		const some, someOctets = 100, 1 << 20 // do not count: buffers are pooled
		if large.number > small.number*times*2+some || large.octets > small.octets*times*2+someOctets {
			t.Errorf("%s: allocations of %+v for %d octets, %+v for %d", f.name, small, n, large, times*n)
		}
	}
}

type allocated struct{ number, octets uint64 }

func allocations(t *testing.T, f family, n int) allocated {
	t.Helper()
	data := []byte(f.make(n))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := everything(bytes.NewReader(data), unbounded); err != nil {
		t.Errorf("%s: %v", f.name, err)
	}
	runtime.ReadMemStats(&after)
	return allocated{after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}
}
