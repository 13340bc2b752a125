package retrieval

import "errors"

// Upstream is what [ServerSync] carries from here to the server. It needs a
// sink that is an [Inventory]. Zero carries nothing.
type Upstream struct {
	Flags bool // flags that were changed here

	// Removals: what was removed here is deleted there or, with Trash, moved
	// to the mailbox of that name.
	Removals bool
	Trash    string

	// Only carries to the server and nothing from it: new messages are
	// delivered, but copies here follow neither flags nor deletions there.
	Only bool
}

func (u Upstream) any() bool { return u.Flags || u.Removals }

func (a *Account) checkUpstream() error {
	flags, mirror, _ := a.policy().needs()
	switch {
	case a.Upstream == Upstream{}:
		return nil
	case !a.Upstream.any():
		return errors.New("account: of Upstream, neither Flags nor Removals is set")
	case !flags || !mirror:
		return errors.New("account: Upstream is for a policy that keeps in step with the server")
	}
	return nil
}
