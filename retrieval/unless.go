package retrieval

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// Head is what is known of a message before it is delivered.
type Head struct {
	Box Box
	Summary

	// Header is the message's header as the server sent it, with the empty
	// line at its end: package message and net/mail can read it. Of a header
	// of more than 256 KiB it is the beginning.
	Header []byte
}

const maxHead = 256 << 10

// DropUnless returns a sink that passes on to sink the messages that want
// wants, and takes the rest for nothing: they are read, thrown away, and count
// as delivered. With [DownloadAndDelete] they are then deleted on the server,
// and are nowhere. See [RejectUnless] for another way.
//
// It is a [Flusher], [Finder], [Mirrorer] and [Inventory] if sink is. A dropped
// message has a name, and is [ErrGone] to a Mirrorer.
func DropUnless(sink Sink, want func(*Head) bool) Sink {
	return parts{sink}.as(&filter{sink: sink, want: want, drop: true}, func(p parts) Sink { return DropUnless(p[0], want) })
}

// RejectUnless returns a sink that passes on to sink the messages that want
// wants, and turns the rest down: their error is an [ErrRejected], and they
// stay on the server. It is a [Flusher], [Finder], [Mirrorer] and [Inventory] if
// sink is.
func RejectUnless(sink Sink, want func(*Head) bool) Sink {
	return parts{sink}.as(&filter{sink: sink, want: want}, func(p parts) Sink { return RejectUnless(p[0], want) })
}

type filter struct {
	sink Sink
	want func(*Head) bool
	drop bool
}

// droppedRef is the name of all that was dropped. No sink that names files can
// have such a name.
const droppedRef = "\x00dropped"

var errDropped = fmt.Errorf("it was dropped: %w", ErrGone)

// Deliver implements [Sink].
func (f *filter) Deliver(ctx context.Context, m *Message) (string, error) {
	head, m, err := readHead(m)
	if err != nil {
		return "", err
	}
	switch {
	case f.want(head):
		return f.sink.Deliver(ctx, m)
	case !f.drop:
		return "", fmt.Errorf("not wanted: %w", ErrRejected)
	}
	if err := m.whole(); err != nil {
		return "", err
	}
	return droppedRef, nil
}

// Find implements [Finder].
func (f *filter) Find(ctx context.Context, box Box, intent Record) (string, bool, error) {
	return find(ctx, f.sink, box, intent)
}

func (f *filter) look(ctx context.Context, box Box, intent Record) (string, bool, error) {
	return look(ctx, f.sink, box, intent)
}

// SetFlags implements [Mirrorer].
func (f *filter) SetFlags(ctx context.Context, ref string, flags []Flag) (string, error) {
	if ref == droppedRef {
		return "", errDropped
	}
	return f.sink.(Mirrorer).SetFlags(ctx, ref, flags)
}

// Discard implements [Mirrorer].
func (f *filter) Discard(ctx context.Context, ref string) error {
	if ref == droppedRef {
		return errDropped
	}
	return f.sink.(Mirrorer).Discard(ctx, ref)
}

// Owns implements [Inventory]. What was dropped is nobody's.
func (f *filter) Owns(box Box, ref string) bool {
	return ref != droppedRef && f.sink.(Inventory).Owns(box, ref)
}

// Copies implements [Inventory].
func (f *filter) Copies(ctx context.Context, box Box) (map[string][]Flag, error) {
	return f.sink.(Inventory).Copies(ctx, box)
}

// Keeps implements [Inventory].
func (f *filter) Keeps(flag Flag) bool { return f.sink.(Inventory).Keeps(flag) }

// ChangeFlags implements [Inventory].
func (f *filter) ChangeFlags(ctx context.Context, ref string, add, remove []Flag) (string, error) {
	if ref == droppedRef {
		return "", errDropped
	}
	return f.sink.(Inventory).ChangeFlags(ctx, ref, add, remove)
}

// readHead reads a message's header, and returns the message as if nothing
// had been read.
func readHead(m *Message) (*Head, *Message, error) {
	var read []byte
	for size := 4 << 10; ; size *= 2 {
		at := len(read)
		read = append(read, make([]byte, size-at)...)
		n, err := io.ReadFull(m, read[at:])
		read = read[:at+n]
		end := headerEnd(read)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, nil, err
		}
		if end < 0 && err == nil && size < maxHead {
			continue
		}
		if end < 0 {
			end = len(read)
		}
		h := &Head{Box: m.Box, Summary: m.Summary, Header: bytes.Clone(read[:end])}
		return h, m.again(io.MultiReader(bytes.NewReader(read), m)), nil
	}
}

// headerEnd returns where the body begins, or -1.
func headerEnd(p []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(p[at:], '\n')
		if n < 0 {
			return -1
		}
		if len(bytes.TrimRight(p[at:at+n], "\r")) == 0 {
			return at + n + 1
		}
		at += n + 1
	}
}
