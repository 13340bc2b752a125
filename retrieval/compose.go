package retrieval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parts are the sinks that one sink is composed of.
type parts []Sink

// inner is what every sink has that is composed of others, so that a run can
// make use of what they are beyond the abilities below.
type inner struct {
	parts parts
	with  func(parts) Sink // the same, composed of others
	look  func(ctx context.Context, box Box, intent Record) (ref string, found bool, err error)
}

func (c *inner) composition() *inner { return c }

// composite is what a composed sink is, if its parts are that too.
type composite interface {
	Sink
	Finder
	Mirrorer

	// look is Find without an effect.
	look(ctx context.Context, box Box, intent Record) (ref string, found bool, err error)
}

// core is what every composed sink is.
type core struct {
	Sink
	*inner
}

// as returns s, with those of its abilities that the parts give it. One that
// flushes makes all need flushing; to find, to mirror and to take inventory
// takes all, and the last takes the one before.
func (p parts) as(s composite, with func(parts) Sink) Sink {
	const flushes, finds, mirrors, lists = 1, 2, 4, 8
	inv, has := s.(Inventory)
	abilities := finds | mirrors | lists
	if !has {
		abilities &^= lists
	}
	for _, part := range p {
		if _, is := part.(Flusher); is {
			abilities |= flushes
		}
		if _, is := part.(Finder); !is {
			abilities &^= finds
		}
		if _, is := part.(Mirrorer); !is {
			abilities &^= mirrors | lists
		}
		if _, is := part.(Inventory); !is {
			abilities &^= lists
		}
	}
	c := core{s, &inner{p, with, s.look}}
	switch abilities {
	case flushes:
		return struct {
			core
			Flusher
		}{c, p}
	case finds:
		return struct {
			core
			Finder
		}{c, s}
	case flushes | finds:
		return struct {
			core
			Flusher
			Finder
		}{c, p, s}
	case mirrors:
		return struct {
			core
			Mirrorer
		}{c, s}
	case flushes | mirrors:
		return struct {
			core
			Flusher
			Mirrorer
		}{c, p, s}
	case finds | mirrors:
		return struct {
			core
			Finder
			Mirrorer
		}{c, s, s}
	case flushes | finds | mirrors:
		return struct {
			core
			Flusher
			Finder
			Mirrorer
		}{c, p, s, s}
	case mirrors | lists:
		return struct {
			core
			Mirrorer
			Inventory
		}{c, s, inv}
	case flushes | mirrors | lists:
		return struct {
			core
			Flusher
			Mirrorer
			Inventory
		}{c, p, s, inv}
	case finds | mirrors | lists:
		return struct {
			core
			Finder
			Mirrorer
			Inventory
		}{c, s, s, inv}
	case flushes | finds | mirrors | lists:
		return struct {
			core
			Flusher
			Finder
			Mirrorer
			Inventory
		}{c, p, s, s, inv}
	}
	return c
}

// Flush implements [Flusher]. It flushes the parts one after the other. When one fails the rest are
// flushed with a context that is over, so that they drop what was delivered:
// none of it counts.
func (p parts) Flush(ctx context.Context) error {
	var failed error
	for _, part := range p {
		f, ok := part.(Flusher)
		if !ok {
			continue
		}
		if err := f.Flush(ctx); err != nil && failed == nil {
			failed = err
			over, cancel := context.WithCancelCause(ctx)
			cancel(err)
			ctx = over
		}
	}
	return failed
}

// worst returns the error that stands for all: one after which nothing can be
// delivered counts more than one about this message now, and that more than
// one about this message for good.
func worst(errs []error) error {
	var hard, deferred, rejected []error
	for _, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, ErrDeferred):
			deferred = append(deferred, err)
		case errors.Is(err, ErrRejected):
			rejected = append(rejected, err)
		default:
			hard = append(hard, err)
		}
	}
	for _, errs := range [][]error{hard, deferred, rejected} {
		if len(errs) == 1 {
			return errs[0]
		}
		if len(errs) > 1 {
			return errors.Join(errs...)
		}
	}
	return nil
}

// joinRefs makes one name of several: "5:first6:second". If the sinks have no
// names it is empty too.
func joinRefs(refs ...string) string {
	if strings.Join(refs, "") == "" {
		return ""
	}
	var b strings.Builder
	for _, ref := range refs {
		fmt.Fprintf(&b, "%d:%s", len(ref), ref)
	}
	return b.String()
}

// splitRef is the inverse of joinRefs for n names.
func splitRef(ref string, n int) ([]string, error) {
	refs := make([]string, 0, n)
	for rest := ref; rest != ""; {
		digits, after, _ := strings.Cut(rest, ":")
		length, err := strconv.Atoi(digits)
		if err != nil || length < 0 || length > len(after) {
			refs = nil
			break
		}
		refs, rest = append(refs, after[:length]), after[length:]
	}
	if ref == "" {
		refs = make([]string, n)
	}
	if len(refs) != n {
		return nil, fmt.Errorf("%q is the name of no message here: %w", ref, ErrGone)
	}
	return refs, nil
}

// again returns m with another reader of its octets.
func (m *Message) again(body io.Reader) *Message {
	c := NewMessage(m.Box, m.Summary, body)
	c.Redelivery, c.HeaderOnly = m.Redelivery, m.HeaderOnly
	return c
}
