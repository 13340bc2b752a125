package imapclient

import (
	"bytes"
	"slices"
	"strings"

	"example.com/postbag/message"
)

// item is a set of single items.
type item uint32

const (
	flagsItem item = 1 << iota
	receivedItem
	sizeItem
	envelopeItem
	structureItem
	modSeqItem
	previewItem
	savedItem
	emailItem
	threadItem
	gmailMessageItem
	gmailThreadItem
	labelsItem
	fieldsItem
)

// wireItem is an item as it is on the wire.
type wireItem struct {
	item       item
	name       string
	capability string // one that it needs

	// read takes node i of a value, of a list with one value that value, and
	// tells whether it says anything. NIL does only where it means something.
	read func(info *Info, t *tree, i int32) bool
	copy func(to, from *Info)
}

var wireItems = []wireItem{
	{flagsItem, "FLAGS", "", nil, nil}, // these are in the Summary
	{receivedItem, "INTERNALDATE", "", nil, nil},
	{sizeItem, "RFC822.SIZE", "", nil, nil},
	{envelopeItem, "ENVELOPE", "",
		func(info *Info, t *tree, _ int32) bool {
			info.Envelope = t.envelope(0)
			return info.Envelope != nil
		},
		func(to, from *Info) { to.Envelope = from.Envelope }},
	{structureItem, "BODYSTRUCTURE", "",
		func(info *Info, t *tree, _ int32) bool {
			info.Structure = t.structure(0)
			return info.Structure != nil
		},
		func(to, from *Info) { to.Structure = from.Structure }},
	{modSeqItem, "MODSEQ", "CONDSTORE",
		func(info *Info, t *tree, i int32) (ok bool) { // QUIRK: Zoho sends -1
			info.ModSeq, ok = t.uint(i)
			return ok
		},
		func(to, from *Info) { to.ModSeq = from.ModSeq }},
	{previewItem, "PREVIEW", "PREVIEW",
		func(info *Info, t *tree, i int32) bool {
			info.Preview = message.DecodeText(t.str(i))
			return true
		},
		func(to, from *Info) { to.Preview = from.Preview }},
	{savedItem, "SAVEDATE", "SAVEDATE",
		func(info *Info, t *tree, i int32) bool {
			info.Saved = parseDate([]byte(t.str(i)))
			return t.isNil(i) || !info.Saved.IsZero()
		},
		func(to, from *Info) { to.Saved = from.Saved }},
	{emailItem, "EMAILID", "OBJECTID",
		func(info *Info, t *tree, i int32) bool {
			info.EmailID = message.DecodeText(t.str(i))
			return info.EmailID != ""
		},
		func(to, from *Info) { to.EmailID = from.EmailID }},
	{threadItem, "THREADID", "OBJECTID",
		func(info *Info, t *tree, i int32) bool {
			info.ThreadID = message.DecodeText(t.str(i))
			return true
		},
		func(to, from *Info) { to.ThreadID = from.ThreadID }},
	{gmailMessageItem, "X-GM-MSGID", "X-GM-EXT-1",
		func(info *Info, t *tree, i int32) (ok bool) {
			info.Gmail.MessageID, ok = t.uint(i)
			return ok
		},
		func(to, from *Info) { to.Gmail.MessageID = from.Gmail.MessageID }},
	{gmailThreadItem, "X-GM-THRID", "X-GM-EXT-1",
		func(info *Info, t *tree, i int32) (ok bool) {
			info.Gmail.ThreadID, ok = t.uint(i)
			return ok
		},
		func(to, from *Info) { to.Gmail.ThreadID = from.Gmail.ThreadID }},
	{labelsItem, "X-GM-LABELS", "X-GM-EXT-1",
		func(info *Info, t *tree, _ int32) bool {
			info.Gmail.Labels = t.labels()
			return true
		},
		func(to, from *Info) { to.Gmail.Labels = from.Gmail.Labels }},
	{fieldsItem, "BODY[HEADER.FIELDS]", "", nil,
		func(to, from *Info) { to.Header = from.Header }},
}

// missing names the items of a set.
func (s item) missing() []string {
	var names []string
	for _, w := range wireItems {
		if s&w.item != 0 {
			names = append(names, w.name)
		}
	}
	return names
}

// details are what a FETCH response tells beyond a summary.
type details struct {
	told item
	info Info // without the summary
	tree *tree
}

// item reads the value of an item.
func (d *details) item(r *response, name string) error {
	if strings.HasPrefix(name, "BODY[HEADER.FIELDS") {
		header, isNil, err := r.header()
		if err == nil && !isNil {
			d.info.Header = header
			d.told |= fieldsItem
		}
		return err
	}
	if name == "BODY" {
		name = "BODYSTRUCTURE" // without the extension data
	}
	at := slices.IndexFunc(wireItems, func(w wireItem) bool { return w.name == name })
	if at < 0 || wireItems[at].read == nil {
		return r.skip()
	}
	if err := d.tree.read(r); err != nil {
		return err
	}
	w := &wireItems[at]
	if w.read(&d.info, d.tree, d.tree.single()) {
		d.told |= w.item
	}
	return nil
}

// single returns the last value of a list, or the value if it is none. So are
// MODSEQ (1) and EMAILID (a), and the older PREVIEW (FUZZY "text").
func (t *tree) single() int32 {
	if !t.isList(0) {
		return 0
	}
	last := int32(-1)
	for k := int32(1); k < t.nodes[0].next; k = t.nodes[k].next {
		last = k
	}
	return last
}

// uint reads a leaf as a number that may take 64 bits.
func (t *tree) uint(i int32) (uint64, bool) {
	n, err := parseUint([]byte(t.str(i)), 64)
	return n, err == nil
}

// merge fills in what o tells and d does not.
func (d *details) merge(o *details) {
	for _, w := range wireItems {
		if w.copy != nil && o.told&w.item != 0 && d.told&w.item == 0 {
			w.copy(&d.info, &o.info)
		}
	}
	d.told |= o.told
}

// labels reads a list of labels, which are encoded as the names of mailboxes
// are.
func (t *tree) labels() []string {
	var labels []string
	for _, k := range t.children(0, nil) {
		if t.isText(k) && len(labels) < maxFlags {
			labels = append(labels, message.DecodeText(decodeName(t.str(k))))
		}
	}
	return slices.Clip(labels)
}

// header reads a header section into memory.
func (r *response) header() (header []byte, isNil bool, err error) {
	r.c.mail = true
	if r.atLiteral() {
		header, err = r.appendLiteral(nil, maxHeader)
		if err == nil {
			err = r.stray()
		}
		return header, false, err
	}
	if r.peek() == ')' { // QUIRK: Yandex sends nothing for NIL
		return nil, true, nil
	}
	s, isNil, err := r.str()
	return bytes.Clone(s), isNil, err
}
