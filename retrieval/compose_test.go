package retrieval_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

var testBox = retrieval.Box{Account: "pop3://joe@mail.example.com", Mailbox: "INBOX"}

func letter(uid, data string) *retrieval.Message {
	return retrieval.NewMessage(testBox, retrieval.Summary{UID: retrieval.UID(uid), Size: int64(len(data))}, strings.NewReader(data))
}

// collector takes all it is given.
type collector struct {
	mails []string
	err   error // returned after the whole message was read
	ref   string
}

func (c *collector) Deliver(_ context.Context, m *retrieval.Message) (string, error) {
	data, err := io.ReadAll(m)
	if err != nil {
		return "", err
	}
	if c.err != nil {
		return "", c.err
	}
	c.mails = append(c.mails, string(data))
	return c.ref, nil
}

func discardAll(context.Context, *retrieval.Message) error { return nil }

type (
	flusher  struct{ retrieval.Flusher }
	finder   struct{ retrieval.Finder }
	mirrorer struct{ retrieval.Mirrorer }
	lister   struct{ retrieval.Inventory }
)

// sinksByAbility are a sink of each combination.
var sinksByAbility = map[string]retrieval.Sink{
	"": retrieval.SinkFunc(discardAll),
	"F": struct {
		retrieval.Sink
		flusher
	}{},
	"N": struct {
		retrieval.Sink
		finder
	}{},
	"M": struct {
		retrieval.Sink
		mirrorer
	}{},
	"FN": struct {
		retrieval.Sink
		flusher
		finder
	}{},
	"FM": struct {
		retrieval.Sink
		flusher
		mirrorer
	}{},
	"NM": struct {
		retrieval.Sink
		finder
		mirrorer
	}{},
	"FNM": struct {
		retrieval.Sink
		flusher
		finder
		mirrorer
	}{},
	"I": struct {
		retrieval.Sink
		lister
	}{},
	"FNI": struct {
		retrieval.Sink
		flusher
		finder
		lister
	}{},
	"MI": struct {
		retrieval.Sink
		mirrorer
		lister
	}{},
	"FMI": struct {
		retrieval.Sink
		flusher
		mirrorer
		lister
	}{},
	"NMI": struct {
		retrieval.Sink
		finder
		mirrorer
		lister
	}{},
	"FNMI": struct {
		retrieval.Sink
		flusher
		finder
		mirrorer
		lister
	}{},
}

func abilities(s retrieval.Sink) (all string) {
	if _, ok := s.(retrieval.Flusher); ok {
		all += "F"
	}
	if _, ok := s.(retrieval.Finder); ok {
		all += "N"
	}
	if _, ok := s.(retrieval.Mirrorer); ok {
		all += "M"
	}
	if _, ok := s.(retrieval.Inventory); ok {
		all += "I"
	}
	return all
}

// A composed sink can what its parts can, for type assertions too.
func TestAbilities(t *testing.T) {
	all := func(*retrieval.Head) bool { return true }
	for a, one := range sinksByAbility {
		for b, two := range sinksByAbility {
			want := ""
			for _, c := range "FNMI" {
				inA, inB := strings.ContainsRune(a, c), strings.ContainsRune(b, c)
				if c == 'I' && !strings.ContainsRune(want, 'M') {
					break // that takes a Mirrorer
				}
				if inA && inB || c == 'F' && (inA || inB) {
					want += string(c)
				}
			}
			if got, want := abilities(retrieval.Tee(one, two)), strings.TrimSuffix(want, "I"); got != want {
				t.Errorf("a Tee of %q and %q is %q, want %q", a, b, got, want)
			}
			if got := abilities(retrieval.Route(map[string]retrieval.Sink{"1": one, "2": two}, nil)); got != want {
				t.Errorf("a Route to %q and %q is %q, want %q", a, b, got, want)
			}
		}
		if !strings.ContainsRune(a, 'M') {
			a = strings.TrimSuffix(a, "I")
		}
		if got := abilities(retrieval.DropUnless(one, all)); got != a {
			t.Errorf("DropUnless of %q is %q", a, got)
		}
		if got := abilities(retrieval.RejectUnless(one, all)); got != a {
			t.Errorf("RejectUnless of %q is %q", a, got)
		}
	}
}
