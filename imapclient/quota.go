package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// Quota is what is used and allowed under a quota root, which is one or more
// mailboxes together (RFC 9208).
type Quota struct {
	Root      string // often empty
	Resources []QuotaResource
}

// QuotaResource is one of the things that are limited.
type QuotaResource struct {
	Name        string // STORAGE in units of 1024 octets, MESSAGE, MAILBOX or another
	Used, Limit uint64
}

// Quota asks for the quotas that a mailbox is under, which may be none. A
// server without QUOTA (RFC 2087, RFC 9208) is [errors.ErrUnsupported].
func (c *Client) Quota(ctx context.Context, mailbox string) ([]Quota, error) {
	end, err := c.beginNamed(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needs("QUOTA", "GETQUOTAROOT"); err != nil {
		return nil, err
	}
	var quotas []Quota
	err = c.engineRun("GETQUOTAROOT", func(r *response) (bool, error) {
		switch r.word() {
		case "QUOTAROOT":
			return true, nil
		case "QUOTA":
			q, err := r.quota()
			if err == nil {
				quotas = append(quotas, q)
			}
			return true, r.kept(err)
		}
		return false, nil
	}, func(e *goimap.Client) error {
		_, err := e.GetQuotaRoot(c.engineName(mailbox)).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	return quotas, nil
}

// SetQuota limits what may be used under a quota root, and returns what the
// server says of it then. Resources that limits does not name have no limit any
// more; a server may round. It is for administrators mostly: others get an
// [Error] with the code NOPERM. A server without QUOTASET (RFC 9208 section
// 4.1.3) is [errors.ErrUnsupported], unless its QUOTA is that of RFC 2087.
func (c *Client) SetQuota(ctx context.Context, root string, limits map[string]uint64) (Quota, error) {
	var err error
	if root != "" {
		err = checkName("the quota root", root)
	}
	for name, limit := range limits {
		if !isAtom([]byte(name)) || limit >= 1<<63 { // RFC 9051 section 9, number64
			err = errors.Join(err, fmt.Errorf("imap: SETQUOTA: %d of %q is no limit", limit, name))
		}
	}
	if err != nil {
		return Quota{}, err
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return Quota{}, err
	}
	defer end()
	if err := c.needs("QUOTA", "SETQUOTA"); err != nil {
		return Quota{}, err
	}
	isNew := slices.ContainsFunc(c.caps, func(name string) bool { return strings.HasPrefix(name, "QUOTA=") })
	if isNew && !c.caps.Has("QUOTASET") {
		return Quota{}, fmt.Errorf("imap: SETQUOTA: the server has no QUOTASET: %w", errors.ErrUnsupported)
	}
	a := &arguments{utf8: c.utf8()}
	a.str(root)
	a.open()
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		a.word(name)
		a.word(strconv.FormatUint(limits[name], 10))
	}
	a.close()
	now := Quota{Root: root}
	err = c.runArgs("SETQUOTA", a, func(r *response) (bool, error) {
		if r.word() != "QUOTA" {
			return false, nil
		}
		q, err := r.quota()
		if err == nil && q.Root == root {
			now = q
		}
		return true, r.kept(err)
	})
	if err != nil {
		return Quota{}, err
	}
	return now, nil
}

// quota reads what follows QUOTA.
func (r *response) quota() (q Quota, err error) {
	root, _, err := r.str()
	if err != nil {
		return q, err
	}
	q.Root = string(root)
	r.space()
	if r.peek() == 0 { // QUIRK: Courier leaves out an empty list
		return q, nil
	}
	if !r.take('(') {
		return q, errSyntax
	}
	for {
		r.space()
		if r.take(')') {
			return q, nil
		}
		res := QuotaResource{Name: r.word()}
		if res.Name == "" {
			return q, errSyntax
		}
		if res.Used, err = r.number(64); err != nil {
			return q, err
		}
		if res.Limit, err = r.number(64); err != nil {
			return q, err
		}
		q.Resources = append(q.Resources, res)
	}
}
