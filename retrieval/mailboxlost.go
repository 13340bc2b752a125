package retrieval

import (
	"maps"
	"slices"

	"example.com/postbag/imapclient"
)

// forgive forgets what was lost and is not among boxes any more.
func (t *tour) forgive(boxes []imapclient.ListedMailbox) {
	maps.DeleteFunc(t.lost, func(name string, _ error) bool {
		return !slices.ContainsFunc(boxes, func(m imapclient.ListedMailbox) bool { return m.Name == name })
	})
}

func (t *tour) notLost(boxes []imapclient.ListedMailbox) []imapclient.ListedMailbox {
	return slices.DeleteFunc(slices.Clone(boxes), func(m imapclient.ListedMailbox) bool { return t.lost[m.Name] != nil })
}

// allLost takes what is lost from the mailboxes of the tour. If none is left of
// which anything comes, it returns why, and nothing counts as lost alone.
func (t *tour) allLost() (why []error) {
	if len(t.lost) == 0 {
		return nil
	}
	t.boxes = t.notLost(t.boxes)
	if slices.ContainsFunc(t.boxes, func(m imapclient.ListedMailbox) bool { return !m.Has(`\All`) }) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.lost)) {
		why = append(why, t.lost[name])
	}
	clear(t.lost)
	return why
}
