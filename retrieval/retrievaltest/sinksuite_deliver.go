package retrievaltest

import (
	"io"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"example.com/postbag/retrieval"
)

func sinkExact(f *sinkFixture) {
	bodies := []string{
		"plain\r\n",
		"no line end",
		"bare LF\nbare CR\rboth\n\r.\r\n",
		".\r\n..\r\n.\n\r\n.\r\nFrom the start\r\n>From quoted\r\n",
		"8 bit \xe4\xf6\xfc, NUL \x00, DEL \x7f, ESC \x1b, not UTF-8 \xff\xfe\r\n",
		strings.Repeat("x", 1<<20) + "\r\n",
		strings.Repeat("a line\r\n", 70_000),
		"\r\n\r\n\r\n",
		strings.Repeat("y", 4095) + "\r\n.\r\n" + strings.Repeat("z", 4090) + "\r\n",
	}
	mails := sinkMails(len(bodies))
	for i := range mails {
		mails[i].data += bodies[i]
	}
	mails = append(mails, sinkMail{sinkBox, "3857529045.100", nil, "\x00"}, sinkMail{sinkBox, "3857529045.101", nil, "no header\r\n"})
	f.deliver(mails...)
	f.flush()
	f.want(mails...)
}

func sinkEmpty(f *sinkFixture) {
	mails := sinkMails(3)
	mails[1].data = ""
	f.deliver(mails...)
	f.flush()
	f.want(mails...)
}

func sinkReaders(f *sinkFixture) {
	mails := sinkMails(5)
	for i, wrap := range []func(io.Reader) io.Reader{
		iotest.OneByteReader,
		iotest.HalfReader,
		iotest.DataErrReader,
		func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
		func(r io.Reader) io.Reader { return &pausingReader{r: r} },
	} {
		if _, err := f.Sink.Deliver(f.Context(), mails[i].message(wrap(strings.NewReader(mails[i].data)))); err != nil {
			f.broken("Deliver: %v", err)
		}
	}
	f.flush()
	f.want(mails...)
}

// pausingReader returns nothing every other time, as a reader may.
type pausingReader struct {
	r     io.Reader
	pause bool
}

func (p *pausingReader) Read(b []byte) (int, error) {
	if p.pause = !p.pause; p.pause {
		return 0, nil
	}
	return p.r.Read(b)
}

func sinkReadError(f *sinkFixture) {
	mails := sinkMails(4)
	all := len(mails[0].data)
	for i, n := range []int{0, 1, all / 2, all} {
		if ref, err := f.Sink.Deliver(f.Context(), mails[i].failing(n)); err == nil {
			f.broken("Deliver = %q, nil after a message whose reader failed after %d of %d octets", ref, n, all)
		}
		f.flush()
		f.want()
	}
}

func sinkAfterReadError(f *sinkFixture) {
	mails := sinkMails(3)
	f.deliver(mails[0])
	if _, err := f.Sink.Deliver(f.Context(), mails[1].failing(0)); err == nil {
		f.broken("Deliver of a message whose reader fails returns no error")
	}
	f.deliver(mails[2])
	f.deliver(mails[1])
	f.flush()
	f.want(mails...)
}

func sinkRefs(f *sinkFixture) {
	mails := sinkMails(6)
	for i := 0; i < len(mails); i += 2 { // two of each UID
		mails[i+1].uid, mails[i+1].box.Mailbox = mails[i].uid, "Archive"
	}
	refs := f.deliver(mails...)
	f.flush()
	got := f.contents()
	for i, ref := range refs {
		if ref == "" {
			continue // has no names
		}
		n := 0
		for _, d := range got {
			if d.Ref != ref {
				continue
			}
			if n++; !f.same(d.Data, mails[i].data) {
				f.broken("%q is not what was delivered as that, but %s", ref, abridge(d.Data))
			}
		}
		if n != 1 {
			f.broken("there are %d messages with the name %q, want 1", n, ref)
		}
	}
}

func sinkTwins(f *sinkFixture) {
	mails := sinkMails(4)
	for i := range mails {
		mails[i].data = mails[0].data
	}
	mails[3].box.Mailbox, mails[3].uid = "Archive", mails[0].uid
	f.deliver(mails[:2]...)
	f.flush()
	f.deliver(mails[2:]...)
	f.flush()
	f.want(mails...)
}

// awkwardBoxes are mailboxes that a name made of their parts can mix up.
var awkwardBoxes = []retrieval.Box{
	{Account: "a", Mailbox: "bc"},
	{Account: "ab", Mailbox: "c"},
	{Account: "abc", Mailbox: ""},
	{Account: "", Mailbox: "abc"},
	{Account: "a/b", Mailbox: "c"},
	{Account: "a", Mailbox: "b/c"},
	{Account: "../../tmp", Mailbox: ".."},
	{Account: "a\x00b", Mailbox: "c\n"},
	{Account: "imaps://jörg@example.com:993", Mailbox: "Entwürfe & mehr"},
	{Account: "imaps://jörg@example.com:993", Mailbox: "entwürfe & mehr"},
	{Account: strings.Repeat("long", 200), Mailbox: strings.Repeat("x", 1000)},
}

// awkwardUIDs are what servers have been seen to give, and worse.
var awkwardUIDs = []retrieval.UID{
	"A", "a", "1", "01", "1.", ".1", "..", ".", "/", "../../../etc/passwd", "a/b", `a\b`,
	"%s%n", "*", "?", "|rm", "-rf", "\x00", "a\x00b", "a\x00c", "\x1b[2J", "\xff", "\xfe", "\u00e9", "e\u0301",
	":2,S", "new", "tmp", retrieval.UID(strings.Repeat("u", 1000)), retrieval.UID(strings.Repeat("u", 999)),
}

func sinkAwkwardNames(f *sinkFixture) {
	var mails []sinkMail
	add := func(box retrieval.Box, uid retrieval.UID) {
		m := sinkMails(len(mails) + 1)[len(mails)]
		m.box, m.uid = box, uid
		mails = append(mails, m)
	}
	for _, uid := range awkwardUIDs {
		add(sinkBox, uid)
	}
	for _, box := range awkwardBoxes {
		add(box, "1")
	}
	f.deliver(mails...)
	f.flush()
	f.want(mails...)
}

func sinkMany(f *sinkFixture) {
	mails := sinkMails(1000)
	f.deliver(mails...)
	f.flush()
	f.want(mails...)
}

func sinkCancelled(f *sinkFixture) {
	mails := sinkMails(3)
	f.deliver(mails[0])
	_, err := f.Sink.Deliver(f.over(), mails[1].message(strings.NewReader(mails[1].data)))
	f.deliver(mails[2])
	f.flush()
	if err != nil {
		f.want(mails[0], mails[2])
		return
	}
	f.want(mails...)
}

func sinkConcurrent(f *sinkFixture) {
	const workers, each = 4, 20
	mails := sinkMails(workers * each)
	var wg sync.WaitGroup
	errs := make([]error, workers)
	var met meeting
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				m := &mails[w*each+i]
				body := io.Reader(strings.NewReader(m.data))
				if i == 0 {
					body = io.MultiReader(met.reader(workers), body)
				}
				if _, err := f.Sink.Deliver(f.Context(), m.message(body)); err != nil {
					errs[w] = err
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			f.broken("Deliver: %v", err)
		}
	}
	f.flush()
	f.want(mails...)
}

// meeting lets several deliveries be under way at a time, if the sink can do
// that.
type meeting struct {
	mu   sync.Mutex
	here int
	all  chan struct{}
}

// reader returns a reader of nothing that waits for n of its kind, but not
// for long.
func (m *meeting) reader(n int) io.Reader {
	return readerFunc(func([]byte) (int, error) {
		m.mu.Lock()
		if m.all == nil {
			m.all = make(chan struct{})
		}
		all := m.all
		if m.here++; m.here == n {
			close(all)
		}
		m.mu.Unlock()
		select {
		case <-all:
		case <-time.After(100 * time.Millisecond):
		}
		return 0, io.EOF
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
