package imapclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// Namespace is a part of the hierarchy of mailboxes.
type Namespace struct {
	Prefix    string // of the names in it, with the delimiter at its end if there is one
	Delimiter string // empty: there are no levels
}

// Namespaces says whose mailboxes are where (RFC 2342).
type Namespaces struct {
	Personal, Others, Shared []Namespace
}

// Namespaces asks where mailboxes are. A server without NAMESPACE is
// [errors.ErrUnsupported].
func (c *Client) Namespaces(ctx context.Context) (*Namespaces, error) {
	end, err := c.beginIn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needs("NAMESPACE", "NAMESPACE"); err != nil {
		return nil, err
	}
	if c.is(noNamespace) {
		return nil, fmt.Errorf("imap: NAMESPACE: this server hangs up at it: %w", errors.ErrUnsupported)
	}
	var told *Namespaces
	err = c.engineRun("NAMESPACE", func(r *response) (bool, error) {
		// QUIRK: Sohu answers "* CAPABILITY (("" "/")) NIL NIL".
		if word := r.word(); word != "NAMESPACE" && (word != "CAPABILITY" || r.peek() != '(') {
			return false, nil
		}
		n, err := r.namespaces()
		if err == nil {
			told = n
		}
		return true, r.kept(err)
	}, func(e *goimap.Client) error {
		_, err := e.Namespace().Wait()
		return err
	})
	if err == nil && told == nil {
		err = errors.New("imap: NAMESPACE: OK without an answer")
	}
	if err != nil {
		return nil, err
	}
	return told, nil
}

// namespaces reads what follows NAMESPACE.
func (r *response) namespaces() (*Namespaces, error) {
	n := new(Namespaces)
	for i, list := range []*[]Namespace{&n.Personal, &n.Others, &n.Shared} {
		if r.space(); i > 0 && r.peek() == 0 {
			break // a server that leaves out the others has none
		}
		var err error
		if *list, err = r.namespaceList(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// namespaceList reads `(("" "/") ("#mh/" NIL))` or NIL.
func (r *response) namespaceList() ([]Namespace, error) {
	r.space()
	if !r.take('(') {
		if _, isNil, err := r.str(); err != nil || !isNil {
			return nil, errSyntax
		}
		return nil, nil
	}
	var list []Namespace
	for {
		r.space()
		if r.take(')') {
			return slices.Clip(list), nil
		}
		n, err := r.namespace()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
}

func (r *response) namespace() (n Namespace, err error) {
	if !r.take('(') {
		return n, errSyntax
	}
	prefix, _, err := r.str()
	if err != nil {
		return n, err
	}
	n.Prefix = r.c.readName(prefix)
	r.space()
	delimiter, isNil, err := r.str()
	if err != nil {
		return n, err
	}
	if !isNil {
		n.Delimiter = string(delimiter)
	}
	for { // RFC 2342 section 5: extensions
		r.space()
		if r.take(')') {
			return n, nil
		}
		if err := r.skip(); err != nil {
			return n, err
		}
	}
}
