package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		p       retrieval.Progress
		elapsed time.Duration
		width   int
		want    string
	}{
		{retrieval.Progress{}, 0, 80, "[--------------------]  0/0 messages, 0 B"},
		{retrieval.Progress{Messages: 450, TotalMessages: 1000, Bytes: 2_160_000, TotalBytes: 4_800_000}, 2 * time.Second, 100, "[#########-----------]  450/1000 messages, 2.16 MB of 4.8 MB, 1.08 MB/s, 0:02 left"},
		{retrieval.Progress{Messages: 450, TotalMessages: 1000, Bytes: 2_160_000, TotalBytes: 4_800_000}, 2 * time.Second, 79, "[#######----------]  450/1000 messages, 2.16 MB of 4.8 MB, 1.08 MB/s, 0:02 left"},
		{retrieval.Progress{Messages: 450, TotalMessages: 1000, Bytes: 2_160_000, TotalBytes: 4_800_000}, 2 * time.Second, 64, "450/1000 messages, 2.16 MB of 4.8 MB, 1.08 MB/s, 0:02 left"},
		{retrieval.Progress{Messages: 450, TotalMessages: 1000, Bytes: 2_160_000, TotalBytes: 4_800_000}, 2 * time.Second, 12, "450/1000 mes"},
		{retrieval.Progress{Messages: 1, TotalMessages: 4, Bytes: 1000}, time.Hour, 100, "[#####---------------]  1/4 messages, 1 KB, 0 B/s, 3:00:00 left"},
		{retrieval.Progress{Messages: 2, TotalMessages: 2, Bytes: 3000, TotalBytes: 2900}, time.Second, 100, "[####################]  2/2 messages, 3 KB of 2.9 KB, 3 KB/s, 0:00 left"},
		{retrieval.Progress{TotalMessages: 1, Bytes: 1, TotalBytes: 2_000_000_000_000}, time.Second, 100, "[--------------------]  0/1 messages, 1 B of 2 TB, 1 B/s"},
		{retrieval.Progress{TotalMessages: 1}, time.Second, 0, ""},
	} {
		if got := progressLine(tt.p, tt.elapsed, tt.width); got != tt.want {
			t.Errorf("%+v after %v in %d columns:\n%q, want\n%q", tt.p, tt.elapsed, tt.width, got, tt.want)
		}
	}
}

func TestBar(t *testing.T) {
	var w bytes.Buffer
	now := time.Unix(1_700_000_000, 0)
	b := &bar{w: &w, width: func() int { return 80 }, now: func() time.Time { return now }}
	for i := range 1001 {
		b.show(retrieval.Progress{Messages: i, TotalMessages: 1000})
		now = now.Add(time.Millisecond)
	}
	b.end()
	if n := strings.Count(w.String(), "\r"); n < 10 || n > 15 {
		t.Errorf("shown %d times in a second", n)
	}
	if !strings.Contains(w.String(), "1000/1000") || !strings.HasSuffix(w.String(), "\r\x1b[K") {
		t.Errorf("%q does not end in 1000/1000, removed", w.String())
	}
}

// Where no terminal is there is no bar.
func TestNoBar(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := newBar("auto", f)
	b.show(retrieval.Progress{Messages: 1, TotalMessages: 1})
	b.end()
	if fi, err := f.Stat(); err != nil || fi.Size() > 0 {
		t.Errorf("%v, %v: something was shown", fi.Size(), err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{-1: "?", 0: "0 B", 999: "999 B", 1000: "1 KB", 1234: "1.23 KB", 99_950: "100 KB", 999_499: "999 KB", 999_600: "1 MB", 2_000_000_000: "2 GB", 5_000_000_000_000: "5 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
