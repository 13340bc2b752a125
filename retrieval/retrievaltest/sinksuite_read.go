package retrievaltest

import (
	"errors"
	"io"
	"strings"
	"sync"

	"example.com/postbag/retrieval"
)

func sinkSizes(f *sinkFixture) {
	mails := sinkMails(5)
	for i, size := range []int64{-1, 0, 1, int64(len(mails[0].data)) - 2, 4000} {
		m := retrieval.NewMessage(mails[i].box, retrieval.Summary{UID: mails[i].uid, Size: size}, strings.NewReader(mails[i].data))
		if _, err := f.Sink.Deliver(f.Context(), m); err != nil {
			f.broken("Deliver of a message that was said to have %d octets, and has %d: %v", size, len(mails[i].data), err)
		}
	}
	f.flush()
	f.want(mails...)
}

func sinkLate(f *sinkFixture) {
	mails := sinkMails(200)[197:]
	for i := range mails {
		body := &expiringReader{r: strings.NewReader(mails[i].data)}
		if _, err := f.Sink.Deliver(f.Context(), mails[i].message(body)); err != nil {
			f.broken("Deliver: %v", err)
		}
		if body.expire() {
			f.broken("Deliver returns before it has read the message to its end")
		}
	}
	f.flush()
	f.want(mails...)
}

// expiringReader is a message that the server sends: when the next one is asked
// for, it is over.
type expiringReader struct {
	mu          sync.Mutex
	r           io.Reader
	ended, over bool
}

func (e *expiringReader) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return 0, errTooLate
	}
	n, err := e.r.Read(p)
	e.ended = e.ended || err != nil
	return n, err
}

// expire tells whether there was more to read.
func (e *expiringReader) expire() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	return !e.ended
}

var errTooLate = errors.New("the test's reader is read after Deliver has returned")
