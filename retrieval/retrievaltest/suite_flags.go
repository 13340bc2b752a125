package retrievaltest

import (
	"errors"

	"example.com/postbag/retrieval"
)

func testFlags(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	uids := f.list(r)
	set := func(op retrieval.FlagOp, flags ...retrieval.Flag) error {
		return retrieval.SetFlags(f.Context(), r, op, flags, uids[1])
	}
	if !r.Features().Flags {
		if err := set(retrieval.AddFlags, retrieval.FlagSeen); !errors.Is(err, errors.ErrUnsupported) {
			f.broken("SetFlags = %v, want errors.ErrUnsupported", err)
		}
		return
	}
	for _, step := range []struct {
		op    retrieval.FlagOp
		flags []retrieval.Flag
		want  []retrieval.Flag
	}{
		{retrieval.AddFlags, []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}, []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}},
		{retrieval.RemoveFlags, []retrieval.Flag{retrieval.FlagSeen}, []retrieval.Flag{retrieval.FlagFlagged}},
		{retrieval.ReplaceFlags, []retrieval.Flag{retrieval.FlagAnswered}, []retrieval.Flag{retrieval.FlagAnswered}},
	} {
		if err := set(step.op, step.flags...); err != nil {
			f.broken("SetFlags: %v", err)
		}
		if err := retrieval.SetFlags(f.Context(), r, retrieval.AddFlags, []retrieval.Flag{retrieval.FlagDraft}); err != nil {
			f.broken("SetFlags of no messages: %v", err)
		}
		sums, err := f.open().List(f.Context())
		if err != nil {
			f.broken("List: %v", err)
		}
		if !retrieval.SameFlags(sums[1].Flags, step.want) || len(sums[0].Flags) > 0 {
			f.broken("flags are %q and the neighbour's %q, want %q and none", sums[1].Flags, sums[0].Flags, step.want)
		}
	}
}

func testFlagsGone(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	if !r.Features().Flags {
		f.Skip("the server has no flags")
	}
	uids := f.list(r)
	if err := f.box.Delete(uids[0]); err != nil {
		f.Fatal(err)
	}
	if err := retrieval.SetFlags(f.Context(), r, retrieval.AddFlags, []retrieval.Flag{retrieval.FlagSeen}, uids[0], uids[2]); err != nil {
		f.broken("SetFlags: %v", err)
	}
	if got := f.contents()[1].Flags; !retrieval.SameFlags(got, []retrieval.Flag{retrieval.FlagSeen}) {
		f.broken("the message that is there has the flags %q", got)
	}
}
