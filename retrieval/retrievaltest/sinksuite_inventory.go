package retrievaltest

import (
	"errors"
	"fmt"

	"example.com/postbag/retrieval"
)

// copies returns what the sink says of the messages of a mailbox.
func (f *sinkFixture) copies(box retrieval.Box) map[string][]retrieval.Flag {
	f.Helper()
	all, err := f.Sink.(retrieval.Inventory).Copies(f.Context(), box)
	if err != nil {
		f.broken("Copies: %v", err)
	}
	return all
}

// wantCopy fails unless Copies has a message with these flags.
func (f *sinkFixture) wantCopy(m sinkMail, ref string, flags ...retrieval.Flag) {
	f.Helper()
	got, there := f.copies(m.box)[ref]
	if !there || !retrieval.SameFlags(got, flags) {
		f.broken("Copies has %q with %q (there: %v), want it there with %q", ref, got, there, flags)
	}
}

func sinkOwns(f *sinkFixture) {
	mails := sinkMails(3)
	mails[2].box.Mailbox = "Archive"
	mails = append(mails, mails[0])
	mails[3].data = "another\r\n"
	for i, ref := range f.deliver(mails...) {
		if box := mails[i].box; !f.Sink.(retrieval.Inventory).Owns(box, ref) {
			f.broken("Owns does not know %q, which is a message of %v", ref, box)
		}
	}
}

func sinkOwnsOthers(f *sinkFixture) {
	ref := f.deliver(sinkMails(1)...)[0]
	// As Route, Tee and DropUnless do.
	for _, other := range []string{"", fmt.Sprintf("5:other%d:%s", len(ref), ref), fmt.Sprintf("%d:%[2]s%[1]d:%[2]s", len(ref), ref), "\x00dropped"} {
		if f.Sink.(retrieval.Inventory).Owns(sinkBox, other) {
			f.broken("Owns knows %q, which is no name that it gives", other)
		}
	}
}

func sinkCopies(f *sinkFixture) {
	mails := sinkMails(4)
	mails[1].flags = []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}
	mails[3].box.Mailbox = "Archive"
	refs := f.deliver(mails...)
	f.flush()
	for i, m := range mails {
		f.wantCopy(m, refs[i], m.flags...)
	}
	f.deliver(mails[0]) // again: still there
	f.flush()
	f.wantCopy(mails[0], refs[0])
}

func sinkCopiesGone(f *sinkFixture) {
	mails := sinkMails(3)
	refs := f.deliver(mails...)
	f.flush()
	f.discard(refs[1])
	f.flush()
	f.wantCopy(mails[0], refs[0])
	f.wantCopy(mails[2], refs[2])
	if _, there := f.copies(mails[1].box)[refs[1]]; there {
		f.broken("Copies has %q, which was discarded", refs[1])
	}
}

func sinkChangeFlags(f *sinkFixture) {
	mails := sinkMails(2)
	mails[0].flags = []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}
	refs := f.deliver(mails...)
	f.flush()
	inv := f.Sink.(retrieval.Inventory)
	ref := refs[0]
	for _, c := range []struct{ add, remove, want []retrieval.Flag }{
		{[]retrieval.Flag{retrieval.FlagAnswered}, nil, []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged, retrieval.FlagAnswered}},
		{nil, []retrieval.Flag{retrieval.FlagSeen}, []retrieval.Flag{retrieval.FlagFlagged, retrieval.FlagAnswered}},
		{[]retrieval.Flag{retrieval.FlagAnswered, retrieval.FlagDraft}, []retrieval.Flag{retrieval.FlagFlagged, retrieval.FlagSeen}, []retrieval.Flag{retrieval.FlagAnswered, retrieval.FlagDraft}},
	} {
		var err error
		if ref, err = inv.ChangeFlags(f.Context(), ref, c.add, c.remove); err != nil {
			f.broken("ChangeFlags: %v", err)
		}
		f.flush()
		f.wantCopy(mails[0], ref, c.want...)
		f.wantCopy(mails[1], refs[1])
	}
	f.discard(refs[1])
	if _, err := inv.ChangeFlags(f.Context(), refs[1], []retrieval.Flag{retrieval.FlagSeen}, nil); !errors.Is(err, retrieval.ErrGone) {
		f.broken("ChangeFlags of a message that is gone: %v, want ErrGone", err)
	}
}

func sinkKeeps(f *sinkFixture) {
	mails := sinkMails(1)
	mails[0].flags = []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagAnswered, retrieval.FlagFlagged, retrieval.FlagDraft, retrieval.FlagForwarded, "keyword"}
	refs := f.deliver(mails...)
	f.flush()
	inv := f.Sink.(retrieval.Inventory)
	var kept []retrieval.Flag
	for _, flag := range mails[0].flags {
		if inv.Keeps(flag) {
			kept = append(kept, flag)
		}
	}
	f.wantCopy(mails[0], refs[0], kept...)
}
