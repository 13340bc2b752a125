package retrievaltest

import (
	"fmt"
	"slices"
	"strings"

	"example.com/postbag/retrieval"
)

func sinkDurable(f *sinkFixture) {
	mails := sinkMails(12)
	refs := f.deliver(mails[:6]...)
	f.flush()
	refs = append(refs, f.deliver(mails[6:]...)...)
	f.flush()
	f.reopen()
	f.want(mails...)
	for i, ref := range refs {
		if ref != "" && !slices.ContainsFunc(f.contents(), func(d Delivered) bool { return d.Ref == ref && f.same(d.Data, mails[i].data) }) {
			f.broken("after a crash %q is called something else than %q", mails[i].uid, ref)
		}
	}
	more := sinkMails(13)[12:]
	f.deliver(more...)
	f.flush()
	f.want(append(mails, more...)...)
}

func sinkFlushNothing(f *sinkFixture) {
	f.flush()
	f.deliver(sinkMails(1)...)
	f.flush()
	f.flush()
	f.want(sinkMails(1)...)
}

func sinkFlushError(f *sinkFixture) {
	mails := sinkMails(5)
	f.deliver(mails[:2]...)
	f.flush()
	f.deliver(mails[2:]...)
	if err := f.Sink.(retrieval.Flusher).Flush(f.over()); err == nil {
		f.want(mails...)
		return
	}
	f.want(mails[:2]...)
	f.flush()
	f.want(mails[:2]...)
	f.deliver(mails[2:]...)
	f.flush()
	f.want(mails...)
}

func sinkCrash(f *sinkFixture) {
	mails := sinkMails(4)
	for i := range mails {
		mails[i].data += strings.Repeat(fmt.Sprintf("line of %d\r\n", i), 10_000)
	}
	f.deliver(mails[:1]...)
	f.flush()
	f.deliver(mails[1:]...)
	f.reopen()
	rest := f.contents()
	for i, m := range mails {
		at := slices.IndexFunc(rest, func(d Delivered) bool { return f.same(d.Data, m.data) })
		if at >= 0 {
			rest = slices.Delete(rest, at, at+1)
		} else if i == 0 {
			f.broken("a message that was flushed is not there")
		}
	}
	if len(rest) > 0 {
		f.broken("a crash left what is none of the messages: %s", abridge(rest[0].Data))
	}
	f.deliver(mails[1:]...)
	f.flush()
	if f.Once {
		f.want(mails...)
		return
	}
	for _, m := range mails {
		if !slices.ContainsFunc(f.contents(), func(d Delivered) bool { return f.same(d.Data, m.data) }) {
			f.broken("%q was delivered again after a crash, and is not there", m.uid)
		}
	}
}

func sinkOnce(f *sinkFixture) {
	mails := sinkMails(2)
	first := f.deliver(mails...)
	second := f.deliver(mails[0])
	f.flush()
	third := f.deliver(mails...)
	f.flush()
	f.want(mails...)
	if first[0] != second[0] || !slices.Equal(first, third) {
		f.broken("a message is called %q and then %q and %q", first, second, third)
	}
}

func sinkOnceReopened(f *sinkFixture) {
	mails := sinkMails(3)
	f.deliver(mails[:2]...)
	f.flush()
	f.reopen()
	f.deliver(mails...)
	f.flush()
	f.want(mails...)
}

func sinkOnceOtherOctets(f *sinkFixture) {
	mails := sinkMails(2)
	mails[1].uid = mails[0].uid
	f.deliver(mails[0])
	f.flush()
	f.deliver(mails[1])
	f.flush()
	if !slices.ContainsFunc(f.contents(), func(d Delivered) bool { return f.same(d.Data, mails[1].data) }) {
		f.broken("a message was taken for another one, and is lost")
	}
}
