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
	put(b, l, inbox, benchRecords(0, 100_000)...)
	p := openPage(b, l, inbox)
	b.Run("Update", func(b *testing.B) {
		b.ReportAllocs()
		at := 100_000
		for b.Loop() {
			if err := p.Update(b.Context(), retrieval.Change{Put: benchRecords(at, 500)}); err != nil {
				b.Fatal(err)
			}
			at += 500
		}
	})
	b.Run("Load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Load(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchRecords(first, n int) []retrieval.Record {
	recs := make([]retrieval.Record, n)
	now := time.Now()
	for i := range recs {
		recs[i] = retrieval.Record{
			UID: retrieval.UID(fmt.Sprint("3857529045.", first+i)), Stage: retrieval.Settled, Ref: fmt.Sprintf("postbag-%032x", i),
			Since: now, Delivered: now, Size: 5000, Print: retrieval.Print{1, byte(i), byte(i >> 8)},
		}
	}
	return recs
}

// BenchmarkMillion opens and loads a ledger of a million records that was
// written 500 at a time, and that after Compact. B/id is the file's size. F129.
func BenchmarkMillion(b *testing.B) {
	const n, batch = 1_000_000, 500
	path := filepath.Join(b.TempDir(), "ledger")
	l := openLedger(b, path)
	p := openPage(b, l, inbox)
	start := time.Now()
	for at := 0; at < n; at += batch {
		if err := p.Update(b.Context(), retrieval.Change{Put: benchRecords(at, batch)}); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("written in %v", time.Since(start).Round(time.Millisecond))
	l.Close()
	measure := func(b *testing.B) {
		fi, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		var load time.Duration
		for b.Loop() {
			l := openLedger(b, path)
			start := time.Now()
			state(b, l, inbox)
			load += time.Since(start)
			l.Close()
		}
		b.ReportMetric(float64(fi.Size())/n, "B/id")
		b.ReportMetric(float64(load.Milliseconds())/float64(b.N), "load-ms")
		b.ReportMetric(float64((b.Elapsed()-load).Milliseconds())/float64(b.N), "open-ms")
	}
	b.Run("written", measure)
	l = openLedger(b, path)
	start = time.Now()
	if err := l.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("compacted in %v", time.Since(start).Round(time.Millisecond))
	l.Close()
	b.Run("compacted", measure)
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
