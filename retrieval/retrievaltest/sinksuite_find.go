package retrievaltest

import (
	"slices"
	"time"

	"example.com/postbag/retrieval"
)

// find asks for an intended delivery.
func (f *sinkFixture) find(m sinkMail, since time.Time) (string, bool) {
	f.Helper()
	ref, found, err := f.Sink.(retrieval.Finder).Find(f.Context(), m.box, m.intent(since))
	if err != nil {
		f.broken("Find of %q: %v", m.uid, err)
	}
	return ref, found
}

func sinkFind(f *sinkFixture) {
	mails := sinkMails(4)
	for i := range mails {
		since := time.Now() // the clock of intents, just before
		want := f.deliver(mails[i])[0]
		f.flush()
		if ref, found := f.find(mails[i], since); !found || ref != want {
			f.broken("Find = %q, %v, want %q", ref, found, want)
		}
	}
	f.flush()
	f.want(mails...)
}

func sinkFindNothing(f *sinkFixture) {
	mails := sinkMails(3)
	since := time.Now()
	if ref, found := f.find(mails[0], since); found {
		f.broken("Find in an empty sink finds %q", ref)
	}
	f.deliver(mails[0])
	f.flush()
	if ref, found := f.find(mails[1], since); found {
		f.broken("Find finds %q, which was never delivered", ref)
	}
	if _, err := f.Sink.Deliver(f.Context(), mails[2].failing(0)); err == nil {
		f.broken("Deliver of a message whose reader fails returns no error")
	}
	f.flush()
	if ref, found := f.find(mails[2], since); found {
		f.broken("Find finds %q, whose delivery failed", ref)
	}
}

func sinkFindSince(f *sinkFixture) {
	m := sinkMails(1)[0]
	f.deliver(m)
	f.flush()
	if ref, found := f.find(m, time.Now().Add(time.Hour)); found {
		f.broken("Find finds %q, which was delivered an hour before the intent", ref)
	}
}

func sinkFindBox(f *sinkFixture) {
	m := sinkMails(1)[0]
	since := time.Now()
	f.deliver(m)
	f.flush()
	for _, box := range []retrieval.Box{{Account: m.box.Account, Mailbox: "Archive"}, {Account: "another", Mailbox: m.box.Mailbox}} {
		other := m
		other.box = box
		if ref, found := f.find(other, since); found {
			f.broken("Find finds %q for the mailbox %v, which was delivered for %v", ref, box, m.box)
		}
	}
}

func sinkFindAfterCrash(f *sinkFixture) {
	mails := sinkMails(3)
	since := time.Now()
	f.deliver(mails[0])
	f.flush()
	f.deliver(mails[1:]...)
	f.reopen()
	for _, m := range mails {
		ref, found := f.find(m, since)
		if !found {
			f.deliver(m)
			continue
		}
		if !slices.ContainsFunc(f.contents(), func(d Delivered) bool { return f.same(d.Data, m.data) && (ref == "" || d.Ref == ref) }) {
			f.broken("Find finds %q as %q, but it is not there", m.uid, ref)
		}
	}
	f.flush()
	f.reopen()
	f.want(mails...)
}

func sinkFindDiscarded(f *sinkFixture) {
	m := sinkMails(1)[0]
	since := time.Now()
	ref := f.deliver(m)[0]
	f.flush()
	if err := f.Sink.(retrieval.Mirrorer).Discard(f.Context(), ref); err != nil {
		f.broken("Discard: %v", err)
	}
	f.flush()
	if ref, found := f.find(m, since); found {
		f.broken("Find finds %q, which was discarded", ref)
	}
}

func sinkLook(f *sinkFixture) {
	mails := sinkMails(2)
	since := time.Now()
	f.deliver(mails[0])
	f.flush()
	for _, when := range []time.Time{since, time.Now().Add(time.Hour)} {
		for _, m := range mails {
			ref, found, err := f.Sink.(retrieval.Looker).Look(f.Context(), m.box, m.intent(when))
			f.want(mails[0])
			wantRef, want := f.find(m, when)
			if ref != wantRef || found != want || err != nil {
				f.broken("Look of %q = %q, %v, %v; Find = %q, %v", m.uid, ref, found, err, wantRef, want)
			}
		}
	}
}
