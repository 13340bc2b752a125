package retrievaltest_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// composed is a sink made of sinks on the disk.
type composed struct {
	t     *testing.T
	parts []composedPart
	make  func(parts []retrieval.Sink) retrieval.Sink
}

type composedPart struct {
	open     func() (retrieval.Sink, error)
	contents func() ([]rt.Delivered, error)
}

func maildirPart(t *testing.T) composedPart {
	dir := filepath.Join(t.TempDir(), "mail")
	return composedPart{
		open: func() (retrieval.Sink, error) {
			d, err := disk.OpenMaildir(dir)
			if err == nil {
				t.Cleanup(func() { d.Close() })
			}
			return d, err
		},
		contents: func() ([]rt.Delivered, error) { return maildirContents(dir) },
	}
}

func mboxPart(t *testing.T) composedPart {
	path := filepath.Join(t.TempDir(), "mail")
	return composedPart{
		open: func() (retrieval.Sink, error) {
			d, err := disk.OpenMbox(path, nil)
			if err == nil {
				t.Cleanup(func() { d.Close() })
			}
			return d, err
		},
		contents: func() ([]rt.Delivered, error) { return mboxContents(path) },
	}
}

func funcPart(*testing.T) composedPart {
	var all []rt.Delivered
	return composedPart{
		open: func() (retrieval.Sink, error) {
			return retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				data, err := io.ReadAll(m)
				if err == nil {
					all = append(all, rt.Delivered{Data: data})
				}
				return err
			}), nil
		},
		contents: func() ([]rt.Delivered, error) { return all, nil },
	}
}

func (c *composed) open() (retrieval.Sink, error) {
	var sinks []retrieval.Sink
	for _, p := range c.parts {
		s, err := p.open()
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, s)
	}
	return c.make(sinks), nil
}

func joined(refs ...string) string {
	s := ""
	for _, ref := range refs {
		s += fmt.Sprintf("%d:%s", len(ref), ref)
	}
	return s
}

// every is the contents of a Tee: all parts must have the same.
func (c *composed) every() ([]rt.Delivered, error) {
	var all []rt.Delivered
	for i, p := range c.parts {
		mails, err := p.contents()
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(mails, func(a, b rt.Delivered) int {
			return cmp.Or(bytes.Compare(a.Data, b.Data), cmp.Compare(a.Ref, b.Ref))
		})
		if i == 0 {
			for _, m := range mails {
				m.Ref = joined(m.Ref)
				all = append(all, m)
			}
			continue
		}
		if len(mails) != len(all) {
			return nil, fmt.Errorf("one part has %d messages, another %d", len(all), len(mails))
		}
		for j, m := range mails {
			if !bytes.Equal(m.Data, all[j].Data) || !retrieval.SameFlags(m.Flags, all[j].Flags) {
				return nil, errors.New("the parts have different messages")
			}
			all[j].Ref += joined(m.Ref)
		}
	}
	return all, nil
}

// some is the contents of a Route to "0", "1", …: each message is in one part.
func (c *composed) some() ([]rt.Delivered, error) {
	var all []rt.Delivered
	for i, p := range c.parts {
		mails, err := p.contents()
		if err != nil {
			return nil, err
		}
		for _, m := range mails {
			if m.Ref != "" {
				m.Ref = joined(fmt.Sprint(i), m.Ref)
			}
			all = append(all, m)
		}
	}
	return all, nil
}

func (c *composed) test(contents func() ([]rt.Delivered, error), reopen, once bool) rt.SinkUnderTest {
	sink, err := c.open()
	if err != nil {
		c.t.Fatal(err)
	}
	s := rt.SinkUnderTest{Sink: sink, Contents: contents, Once: once, Concurrent: reopen}
	if reopen {
		s.Reopen = c.open
	}
	return s
}

func tee(sinks []retrieval.Sink) retrieval.Sink { return retrieval.Tee(sinks...) }

// route chooses by the message's own octets.
func route(sinks []retrieval.Sink) retrieval.Sink {
	named := make(map[string]retrieval.Sink)
	for i, s := range sinks {
		named[fmt.Sprint(i)] = s
	}
	return retrieval.Route(named, func(h *retrieval.Head) string {
		return fmt.Sprint(len(h.UID) % len(sinks))
	})
}

func TestTee(t *testing.T) {
	for name, parts := range map[string][]func(*testing.T) composedPart{
		"two Maildirs":          {maildirPart, maildirPart},
		"a function and a mbox": {funcPart, mboxPart},
		"two functions":         {funcPart, funcPart},
	} {
		t.Run(name, func(t *testing.T) {
			rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
				c := &composed{t: t, make: tee}
				for _, p := range parts {
					c.parts = append(c.parts, p(t))
				}
				contents := c.every
				if name == "a function and a mbox" {
					// What is given to a function before a Flush that fails was
					// given: only the mailbox is as the rules have it.
					contents = func() ([]rt.Delivered, error) {
						all, err := c.parts[1].contents()
						for i := range all {
							all[i].Ref = joined("", all[i].Ref)
						}
						return all, err
					}
				}
				return c.test(contents, name == "two Maildirs", name == "two Maildirs")
			})
		})
	}
	t.Run("a Maildir and a mbox", func(t *testing.T) {
		rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
			c := &composed{t: t, make: tee, parts: []composedPart{maildirPart(t), mboxPart(t)}}
			// Twins sort differently in the two: compare the mbox.
			contents := func() ([]rt.Delivered, error) {
				all, err := c.parts[1].contents()
				for i := range all {
					name, _, _ := bytes.Cut([]byte(all[i].Ref), []byte("."))
					all[i].Ref = joined(string(name), all[i].Ref)
				}
				return all, err
			}
			return c.test(contents, true, false)
		})
	})
}

func TestRoute(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		c := &composed{t: t, make: route, parts: []composedPart{maildirPart(t), maildirPart(t)}}
		return c.test(c.some, true, true)
	})
}

func TestRouteToFunction(t *testing.T) {
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		c := &composed{t: t, make: route, parts: []composedPart{funcPart(t), funcPart(t)}}
		return c.test(c.some, false, false)
	})
}

func TestFilter(t *testing.T) {
	all := func(*retrieval.Head) bool { return true }
	for name, filter := range map[string]func(retrieval.Sink, func(*retrieval.Head) bool) retrieval.Sink{
		"DropUnless":   retrieval.DropUnless,
		"RejectUnless": retrieval.RejectUnless,
	} {
		t.Run(name, func(t *testing.T) {
			rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
				c := &composed{t: t, parts: []composedPart{maildirPart(t)}}
				c.make = func(s []retrieval.Sink) retrieval.Sink { return filter(s[0], all) }
				return c.test(c.parts[0].contents, true, true)
			})
		})
	}
}
