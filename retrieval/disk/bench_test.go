package disk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// BenchmarkMaildir delivers 10,000 messages of 5 KB durably, in batches as
// retrieval.Run makes them, and side by side writes as many files and syncs
// one after the other, which does not even make their folder durable. x-plain
// is the ratio of the two.
func BenchmarkMaildir(b *testing.B) {
	const n, size, batch = 10_000, 5000, 500
	body := strings.Repeat("The quick brown fox jumps over the lazy dog, time and again.\r\n", size/62+1)[:size]
	var ours, plain time.Duration
	b.SetBytes(n * size)
	b.ReportAllocs()
	for b.Loop() {
		dir := b.TempDir()
		d, err := disk.OpenMaildir(filepath.Join(dir, "mail"))
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < n; i += batch { // by turns, because disks have moods
			start := time.Now()
			deliverBatch(b, d, body, i, batch)
			middle := time.Now()
			writePlainly(b, dir, body, i, batch)
			ours += middle.Sub(start)
			plain += time.Since(middle)
		}
		d.Close()
	}
	b.ReportMetric(float64(ours)/float64(plain), "x-plain")
	b.ReportMetric(ours.Seconds()/float64(b.N), "ours-s")
}

func deliverBatch(b *testing.B, d interface {
	retrieval.Sink
	retrieval.Flusher
}, body string, first, n int) {
	b.Helper()
	for i := range n {
		m := retrieval.NewMessage(inbox, retrieval.Summary{UID: retrieval.UID(fmt.Sprint(first + i))}, strings.NewReader(body))
		if _, err := d.Deliver(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	if err := d.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func writePlainly(b *testing.B, dir, body string, first, n int) {
	b.Helper()
	for i := range n {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(first+i)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.WriteString(body); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkLedger records 500 messages a transaction, as retrieval.Run does,
// in a ledger that has 100,000 already.
func BenchmarkLedger(b *testing.B) {
	l := openLedger(b, filepath.Join(b.TempDir(), "ledger"))
	records := func(first, n int) []retrieval.Record {
		var recs []retrieval.Record
		for i := range n {
			recs = append(recs, retrieval.Record{UID: retrieval.UID(fmt.Sprint("3857529045.", first+i)), Stage: retrieval.Settled, Ref: fmt.Sprintf("postbag-%032x", i), Since: time.Now()})
		}
		return recs
	}
	if err := l.Put(b.Context(), inbox, records(0, 100_000)...); err != nil {
		b.Fatal(err)
	}
	b.Run("Put", func(b *testing.B) {
		b.ReportAllocs()
		at := 100_000
		for b.Loop() {
			if err := l.Put(b.Context(), inbox, records(at, 500)...); err != nil {
				b.Fatal(err)
			}
			at += 500
		}
	})
	b.Run("Load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Load(b.Context(), inbox); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMbox delivers as BenchmarkMaildir does, into an mbox, side by side
// with as many octets written to a file and synced once a batch. x-plain is the
// ratio of the two.
func BenchmarkMbox(b *testing.B) {
	const n, size, batch = 10_000, 5000, 500
	body := strings.Repeat("The quick brown fox jumps over the lazy dog, time and again.\r\n", size/62+1)[:size]
	var ours, plain time.Duration
	b.SetBytes(n * size)
	b.ReportAllocs()
	for b.Loop() {
		dir := b.TempDir()
		m, err := disk.OpenMbox(filepath.Join(dir, "mail"), nil)
		if err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, "plain"))
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < n; i += batch {
			start := time.Now()
			deliverBatch(b, m, body, i, batch)
			middle := time.Now()
			for range batch {
				if _, err := f.WriteString(body); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			ours += middle.Sub(start)
			plain += time.Since(middle)
		}
		f.Close()
		m.Close()
	}
	b.ReportMetric(float64(ours)/float64(plain), "x-plain")
	b.ReportMetric(ours.Seconds()/float64(b.N), "ours-s")
}
