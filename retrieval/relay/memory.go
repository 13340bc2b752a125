package relay

import (
	"crypto/sha256"
	"slices"

	"example.com/postbag/retrieval"
)

// memory knows which recipients have a message that others do not have yet.
type memory struct {
	taken map[name]taken
	order []name // oldest first
}

// name is a message's. Its header section, sent alone, is another one.
type name struct {
	box        retrieval.Box
	uid        retrieval.UID
	headerOnly bool
}

// taken is who has a message, and the checksum of its header section.
type taken struct {
	by  []string
	sum [sha256.Size]byte
}

// maxMemory is how many messages are remembered: it takes that many that were
// taken by some and not by others.
const maxMemory = 10_000

// get returns who has a message. Of one that says that it comes again a server
// may have changed the header section; else that tells whether it is the same.
func (m *memory) get(n name, sum [sha256.Size]byte, again bool) []string {
	t := m.taken[n]
	if !again && t.sum != sum {
		m.forget(n)
		return nil
	}
	return t.by
}

func (m *memory) put(n name, t taken) {
	if m.taken == nil {
		m.taken = make(map[name]taken)
	}
	if _, ok := m.taken[n]; !ok {
		if len(m.order) == maxMemory {
			delete(m.taken, m.order[0])
			m.order = m.order[1:]
		}
		m.order = append(m.order, n)
	}
	m.taken[n] = t
}

func (m *memory) forget(n name) {
	if _, ok := m.taken[n]; ok {
		delete(m.taken, n)
		m.order = slices.DeleteFunc(m.order, func(o name) bool { return o == n })
	}
}
