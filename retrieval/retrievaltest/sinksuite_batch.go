package retrievaltest

import (
	"io"
	"strings"

	"example.com/postbag/retrieval"
)

// sinkBatch is the sink in the hands of one run.
type sinkBatch struct {
	*sinkFixture
	sink retrieval.Sink
}

func (f *sinkFixture) batch() *sinkBatch {
	b := &sinkBatch{f, f.Sink.(retrieval.Batcher).Batch()}
	f.Cleanup(b.close)
	return b
}

// close ends the batch, as a run does.
func (b *sinkBatch) close() {
	if c, ok := b.sink.(io.Closer); ok {
		c.Close()
	}
}

func (b *sinkBatch) deliver(m sinkMail) {
	b.Helper()
	if _, err := b.sink.Deliver(b.Context(), m.message(strings.NewReader(m.data))); err != nil {
		b.broken("Deliver of %q: %v", m.uid, err)
	}
}

func (b *sinkBatch) flush() {
	b.Helper()
	if err := b.sink.(retrieval.Flusher).Flush(b.Context()); err != nil {
		b.broken("Flush: %v", err)
	}
}

func sinkBatchCan(f *sinkFixture) {
	whole, batch := abilities(f.Sink), abilities(f.batch().sink)
	if !batch["retrieval.Flusher"] {
		f.broken("what Batch returns is no retrieval.Flusher")
	}
	for name, can := range whole {
		if can && !batch[name] {
			f.broken("the sink is a %s, what Batch returns is none", name)
		}
	}
}

func abilities(s retrieval.Sink) map[string]bool {
	can := make(map[string]bool)
	_, can["retrieval.Flusher"] = s.(retrieval.Flusher)
	_, can["retrieval.Finder"] = s.(retrieval.Finder)
	_, can["retrieval.Looker"] = s.(retrieval.Looker)
	_, can["retrieval.Mirrorer"] = s.(retrieval.Mirrorer)
	_, can["retrieval.Inventory"] = s.(retrieval.Inventory)
	_, can["retrieval.Witness"] = s.(retrieval.Witness)
	return can
}

func sinkBatches(f *sinkFixture) {
	mails := sinkMails(6)
	one, other := f.batch(), f.batch()
	one.deliver(mails[0])
	other.deliver(mails[1])
	one.deliver(mails[2])
	one.flush()
	other.deliver(mails[3])
	one.deliver(mails[4])
	other.flush()
	one.flush()
	one.close()
	other.deliver(mails[5])
	other.flush()
	f.want(mails...)
	if f.Reopen != nil {
		f.reopen()
		f.want(mails...)
	}
}

func sinkBatchFails(f *sinkFixture) {
	mails := sinkMails(4)
	one, other := f.batch(), f.batch()
	one.deliver(mails[0])
	other.deliver(mails[1])
	one.deliver(mails[2])
	if err := other.sink.(retrieval.Flusher).Flush(f.over()); err == nil {
		one.flush()
		f.want(mails[:3]...)
		return
	}
	other.close()
	one.flush()
	f.want(mails[0], mails[2])
	last := f.batch()
	last.deliver(mails[1])
	last.deliver(mails[3])
	last.flush()
	f.want(mails...)
}
