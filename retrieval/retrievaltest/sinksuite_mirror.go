package retrievaltest

import (
	"errors"

	"example.com/postbag/retrieval"
)

// flagged returns the flags of a message that must be there under a name.
func (f *sinkFixture) flagged(ref string, m sinkMail) []retrieval.Flag {
	f.Helper()
	for _, d := range f.contents() {
		if d.Ref == ref && f.same(d.Data, m.data) {
			return d.Flags
		}
	}
	f.broken("%q is not there as %q", m.uid, ref)
	return nil
}

func (f *sinkFixture) setFlags(ref string, flags ...retrieval.Flag) string {
	f.Helper()
	ref, err := f.Sink.(retrieval.Mirrorer).SetFlags(f.Context(), ref, flags)
	if err != nil {
		f.broken("SetFlags: %v", err)
	}
	return ref
}

func (f *sinkFixture) discard(ref string) {
	f.Helper()
	if err := f.Sink.(retrieval.Mirrorer).Discard(f.Context(), ref); err != nil {
		f.broken("Discard: %v", err)
	}
}

func sinkFlags(f *sinkFixture) {
	mails := sinkMails(2)
	mails[0].flags = []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}
	refs := f.deliver(mails...)
	f.flush()
	for i, m := range mails {
		if got := f.flagged(refs[i], m); !retrieval.SameFlags(got, m.flags) {
			f.broken("a message with the flags %q has %q", m.flags, got)
		}
	}
}

func sinkSetFlags(f *sinkFixture) {
	mails := sinkMails(2)
	refs := f.deliver(mails...)
	f.flush()
	ref := refs[0]
	for _, flags := range [][]retrieval.Flag{
		{retrieval.FlagSeen, retrieval.FlagFlagged},
		{retrieval.FlagAnswered},
		{},
		{retrieval.FlagSeen, retrieval.FlagAnswered, retrieval.FlagFlagged, retrieval.FlagDraft},
		{retrieval.FlagDraft},
	} {
		ref = f.setFlags(ref, flags...)
		f.flush()
		if got := f.flagged(ref, mails[0]); !retrieval.SameFlags(got, flags) {
			f.broken("after SetFlags the flags are %q, want %q", got, flags)
		}
		if got := f.flagged(refs[1], mails[1]); len(got) > 0 {
			f.broken("SetFlags of another message gave this one the flags %q", got)
		}
	}
	f.want(mails...)
}

func sinkDiscard(f *sinkFixture) {
	mails := sinkMails(5)
	refs := f.deliver(mails...)
	f.flush()
	f.discard(refs[1])
	f.discard(f.setFlags(refs[3], retrieval.FlagSeen))
	f.flush()
	f.want(mails[0], mails[2], mails[4])
}

func sinkGone(f *sinkFixture) {
	mails := sinkMails(2)
	refs := f.deliver(mails...)
	f.flush()
	f.discard(refs[0])
	mir := f.Sink.(retrieval.Mirrorer)
	for range 2 { // before and after Flush
		if err := mir.Discard(f.Context(), refs[0]); !errors.Is(err, retrieval.ErrGone) {
			f.broken("Discard of a message that is gone: %v, want ErrGone", err)
		}
		if _, err := mir.SetFlags(f.Context(), refs[0], []retrieval.Flag{retrieval.FlagSeen}); !errors.Is(err, retrieval.ErrGone) {
			f.broken("SetFlags of a message that is gone: %v, want ErrGone", err)
		}
		f.flush()
	}
	f.want(mails[1])
}

func sinkMirrorDurable(f *sinkFixture) {
	mails := sinkMails(2)
	refs := f.deliver(mails...)
	f.flush()
	ref := f.setFlags(refs[0], retrieval.FlagSeen)
	f.discard(refs[1])
	f.flush()
	f.reopen()
	f.want(mails[0])
	if got := f.flagged(ref, mails[0]); !retrieval.SameFlags(got, []retrieval.Flag{retrieval.FlagSeen}) {
		f.broken("after a crash the flags are %q", got)
	}
}
