package retrieval

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Route returns a sink that delivers each message into the one of sinks that
// choose names. A name that is not among them leaves the message on the
// server, with an [ErrDeferred]: choose again later.
//
// It is a [Flusher] if any of sinks is, and a [Finder], [Mirrorer] or [Inventory]
// (with which it keeps the flags that all keep) if all are: a delivery is found in
// whichever sink it was made, and a message that was delivered stays where it is
// when choose changes. The names of sinks are part of what a [Store] remembers:
// keep them. What was delivered to a sink that is not there now is let be.
func Route(sinks map[string]Sink, choose func(*Head) string) Sink {
	r := &route{sinks: maps.Clone(sinks), choose: choose}
	r.names = slices.Sorted(maps.Keys(sinks))
	var p parts
	for _, name := range r.names {
		p = append(p, sinks[name])
	}
	return p.as(r, func(p parts) Sink {
		others := make(map[string]Sink)
		for i, name := range r.names {
			others[name] = p[i]
		}
		return Route(others, choose)
	})
}

type route struct {
	sinks  map[string]Sink
	names  []string
	choose func(*Head) string
}

// Deliver implements [Sink].
func (r *route) Deliver(ctx context.Context, m *Message) (string, error) {
	head, m, err := readHead(m)
	if err != nil {
		return "", err
	}
	name := r.choose(head)
	sink := r.sinks[name]
	if sink == nil {
		return "", fmt.Errorf("route to %q, which is no sink: %w", name, ErrDeferred)
	}
	ref, err := sink.Deliver(ctx, m)
	if err != nil {
		return "", fmt.Errorf("route to %q: %w", name, err)
	}
	return routeRef(name, ref), nil
}

// routeRef leaves a name empty that says nothing.
func routeRef(name, ref string) string {
	if ref == "" {
		return ""
	}
	return joinRefs(name, ref)
}

// Find implements [Finder].
func (r *route) Find(ctx context.Context, box Box, intent Record) (string, bool, error) {
	return r.ask(ctx, find, box, intent)
}

func (r *route) look(ctx context.Context, box Box, intent Record) (string, bool, error) {
	return r.ask(ctx, look, box, intent)
}

func (r *route) ask(ctx context.Context, ask asker, box Box, intent Record) (string, bool, error) {
	for _, name := range r.names {
		ref, found, err := ask(ctx, r.sinks[name], box, intent)
		if err != nil || found {
			return routeRef(name, ref), found, err
		}
	}
	return "", false, nil
}

// SetFlags implements [Mirrorer].
func (r *route) SetFlags(ctx context.Context, ref string, flags []Flag) (string, error) {
	name, m, inner, err := r.mirror(ref)
	if err != nil {
		return "", err
	}
	inner, err = m.SetFlags(ctx, inner, flags)
	if err != nil {
		return "", err
	}
	return routeRef(name, inner), nil
}

// Discard implements [Mirrorer].
func (r *route) Discard(ctx context.Context, ref string) error {
	_, m, inner, err := r.mirror(ref)
	if err != nil {
		return err
	}
	return m.Discard(ctx, inner)
}

// mirror returns the sink that has a message, and its name for it.
func (r *route) mirror(ref string) (name string, m Mirrorer, inner string, err error) {
	refs, err := splitRef(ref, 2)
	if err != nil {
		return "", nil, "", err
	}
	m, ok := r.sinks[refs[0]].(Mirrorer)
	if !ok {
		return "", nil, "", fmt.Errorf("%q was delivered to %q, which is no sink now: %w", refs[1], refs[0], ErrGone)
	}
	return refs[0], m, refs[1], nil
}

// Owns implements [Inventory].
func (r *route) Owns(box Box, ref string) bool {
	refs, err := splitRef(ref, 2)
	if err != nil {
		return false
	}
	inv, ok := r.sinks[refs[0]].(Inventory)
	return ok && inv.Owns(box, refs[1])
}

// Copies implements [Inventory].
func (r *route) Copies(ctx context.Context, box Box) (map[string][]Flag, error) {
	all := make(map[string][]Flag)
	for _, name := range r.names {
		copies, err := r.sinks[name].(Inventory).Copies(ctx, box)
		if err != nil {
			return nil, fmt.Errorf("what was routed to %q: %w", name, err)
		}
		for ref, flags := range copies {
			all[routeRef(name, ref)] = flags
		}
	}
	return all, nil
}

// Keeps implements [Inventory].
func (r *route) Keeps(f Flag) bool {
	return !slices.ContainsFunc(r.names, func(name string) bool { return !r.sinks[name].(Inventory).Keeps(f) })
}

// ChangeFlags implements [Inventory].
func (r *route) ChangeFlags(ctx context.Context, ref string, add, remove []Flag) (string, error) {
	name, m, inner, err := r.mirror(ref)
	if err != nil {
		return "", err
	}
	inner, err = m.(Inventory).ChangeFlags(ctx, inner, add, remove)
	if err != nil {
		return "", err
	}
	return routeRef(name, inner), nil
}
