package relay

import (
	"strconv"
	"sync"
)

const tailSize = 1 << 10

// tail keeps the end of what is written to it. A process that outlives the
// program may still write.
type tail struct {
	mu  sync.Mutex
	buf []byte // at most twice tailSize
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	p = p[max(0, n-tailSize):]
	if len(t.buf)+len(p) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// quoted returns the end in quotes, without control characters.
func (t *tail) quoted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buf) == 0 {
		return ""
	}
	return strconv.QuoteToASCII(string(t.buf[max(0, len(t.buf)-tailSize):]))
}
