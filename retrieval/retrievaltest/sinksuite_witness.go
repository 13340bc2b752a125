package retrievaltest

import (
	"fmt"

	"example.com/postbag/retrieval"
)

// wantNoted fails unless a store is noted for a mailbox.
func (f *sinkFixture) wantNoted(box retrieval.Box, store string) {
	f.Helper()
	got, err := f.Sink.(retrieval.Witness).Witnessed(f.Context(), box)
	if err != nil || got != store {
		f.broken("Witnessed of %.100q = %q, %v, want %q", box, got, err, store)
	}
}

func (f *sinkFixture) note(box retrieval.Box, store string) {
	f.Helper()
	if err := f.Sink.(retrieval.Witness).Note(f.Context(), box, store); err != nil {
		f.broken("Note: %v", err)
	}
}

func sinkWitness(f *sinkFixture) {
	f.wantNoted(sinkBox, "")
	f.note(sinkBox, "a store")
	f.wantNoted(sinkBox, "a store")
	f.deliver(sinkMails(1)...)
	f.flush()
	f.wantNoted(sinkBox, "a store")
	f.note(sinkBox, "another")
	f.wantNoted(sinkBox, "another")
	f.want(sinkMails(1)...) // it is no message
}

func sinkWitnessBoxes(f *sinkFixture) {
	for i, box := range awkwardBoxes {
		f.wantNoted(box, "")
		f.note(box, fmt.Sprint("store ", i))
	}
	for i, box := range awkwardBoxes {
		f.wantNoted(box, fmt.Sprint("store ", i))
	}
}

func sinkWitnessDurable(f *sinkFixture) {
	f.note(sinkBox, "a store")
	f.note(sinkBox, "another")
	f.reopen()
	f.wantNoted(sinkBox, "another")
}
