package relay

import (
	"slices"

	"example.com/postbag/retrieval"
)

// memory knows which recipients have a message that others do not have yet.
type memory struct {
	taken map[name][]string
	order []name // oldest first
}

// name is a message's.
type name struct {
	box retrieval.Box
	uid retrieval.UID
}

// maxMemory is how many messages are remembered: it takes that many that were
// taken by some and not by others.
const maxMemory = 10_000

func (m *memory) get(n name) []string { return m.taken[n] }

func (m *memory) put(n name, taken []string) {
	if m.taken == nil {
		m.taken = make(map[name][]string)
	}
	if _, ok := m.taken[n]; !ok {
		if len(m.order) == maxMemory {
			delete(m.taken, m.order[0])
			m.order = m.order[1:]
		}
		m.order = append(m.order, n)
	}
	m.taken[n] = taken
}

func (m *memory) forget(n name) {
	if _, ok := m.taken[n]; ok {
		delete(m.taken, n)
		m.order = slices.DeleteFunc(m.order, func(o name) bool { return o == n })
	}
}
