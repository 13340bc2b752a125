package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"example.com/postbag/retrieval"
)

// bar shows the progress of a run in the last line of a terminal.
type bar struct {
	w       io.Writer // nil: show nothing
	width   func() int
	now     func() time.Time
	started time.Time
	shown   time.Time
}

const barInterval = 100 * time.Millisecond

// newBar returns a bar for w, which shows itself if w is a terminal and it is
// not forbidden.
func newBar(progress string, w io.Writer) *bar {
	b := &bar{now: time.Now}
	if f, ok := w.(*os.File); ok && progress == "auto" && term.IsTerminal(int(f.Fd())) {
		b.w = w
		b.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return 80
			}
			return width
		}
	}
	return b
}

func (b *bar) show(p retrieval.Progress) {
	if b.w == nil {
		return
	}
	now := b.now()
	if b.started.IsZero() {
		b.started = now
	}
	if now.Sub(b.shown) < barInterval && p.Messages < p.TotalMessages {
		return
	}
	b.shown = now
	fmt.Fprintf(b.w, "\r%s\x1b[K", progressLine(p, now.Sub(b.started), b.width()-1))
}

// end removes the bar.
func (b *bar) end() {
	if !b.shown.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// progressLine is what the bar shows after a time, in width columns:
//
//	[#########-----------]  450/1000 messages, 2.1 MB of 4.8 MB, 1.02 MB/s, 0:03 left
func progressLine(p retrieval.Progress, elapsed time.Duration, width int) string {
	text := fmt.Sprintf("%d/%d messages, %s", p.Messages, p.TotalMessages, size(p.Bytes))
	share := 0.0
	if p.TotalMessages > 0 {
		share = float64(p.Messages) / float64(p.TotalMessages)
	}
	if p.TotalBytes > 0 {
		text += " of " + size(p.TotalBytes)
		share = min(float64(p.Bytes)/float64(p.TotalBytes), 1) // sizes are announced, not promised
	}
	if seconds := elapsed.Seconds(); seconds >= 0.5 && p.Bytes > 0 {
		text += ", " + size(int64(float64(p.Bytes)/seconds)) + "/s"
		if left := seconds/share - seconds; left < 100*3600 { // not if share is 0
			text += ", " + clock(left) + " left"
		}
	}
	if cells := min(20, width-len(text)-4); cells >= 5 {
		full := int(share * float64(cells))
		text = "[" + strings.Repeat("#", full) + strings.Repeat("-", cells-full) + "]  " + text
	}
	return text[:max(min(len(text), width), 0)]
}

// clock is a time of so many seconds as 1:02 or 1:02:03.
func clock(seconds float64) string {
	s := int(math.Round(seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
