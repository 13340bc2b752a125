package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// tree reads a bbolt file without bbolt, which trusts every octet: it follows
// no number before it knows that it leads to a page of the file that it has
// not been to, so it comes to an end whatever the file holds. What it cannot
// read it reports to bad and passes over.
//
// The format is that of go.etcd.io/bbolt 1.3 and later, version 2: pages of a
// header (id 8, flags 2, count 2, overflow 4) and elements, numbers in the
// machine's own order.
type tree struct {
	r    io.ReaderAt
	meta meta
	bad  func(error)

	seen    []bool   // pages
	buffers [][]byte // by depth
}

// meta is one of the two roots of a file. The valid one with the higher
// transaction counts.
type meta struct {
	pageSize, root, freelist, high, tx uint64
}

const (
	pageHeader   = 16
	elementSize  = 16
	bucketHeader = 16
	maxDepth     = 64
	maxPage      = 64 << 10

	flagBranch, flagLeaf, flagFree = 0x01, 0x02, 0x10

	boltMagic, boltVersion = 0xED0CDAED, 2

	noFreelist = ^uint64(0)
)

// readMetas returns the valid roots of a file, the newest first.
func readMetas(r io.ReaderAt) []meta {
	var metas []meta
	m0, ok := readMeta(r, 0)
	if ok {
		metas = append(metas, m0)
	}
	for size := uint64(1024); size <= maxPage; size *= 2 {
		m, ok := readMeta(r, int64(size))
		if !ok || m.pageSize != size {
			continue
		}
		if len(metas) == 1 && m.tx > metas[0].tx {
			return []meta{m, metas[0]}
		}
		return append(metas, m)
	}
	return metas
}

func readMeta(r io.ReaderAt, at int64) (m meta, ok bool) {
	var b [pageHeader + 64]byte
	if n, _ := r.ReadAt(b[:], at); n < len(b) {
		return m, false
	}
	p := b[pageHeader:]
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(p[:56])
	if order.Uint32(p) != boltMagic || order.Uint32(p[4:]) != boltVersion || order.Uint64(p[56:]) != sum.Sum64() {
		return m, false
	}
	m = meta{uint64(order.Uint32(p[8:])), order.Uint64(p[16:]), order.Uint64(p[32:]), order.Uint64(p[40:]), order.Uint64(p[48:])}
	return m, m.pageSize >= 1024 && m.pageSize <= maxPage
}

// entry is what a bucket has: a value, or a bucket if sub. Key and value are
// valid until the next entry.
type entry struct {
	key, value []byte
	sub        bool
}

func newTree(r io.ReaderAt, size int64, m meta, bad func(error)) *tree {
	high := min(m.high, uint64(size)/m.pageSize)
	if high < m.high {
		bad(fmt.Errorf("%d octets of %d are left", size, m.high*m.pageSize))
	}
	return &tree{r: r, meta: m, bad: bad, seen: make([]bool, high)}
}

// root goes through the buckets of the file.
func (t *tree) root(f func(entry)) { t.page(t.meta.root, 0, bounds{}, f) }

// bounds are those of the keys of a page: from low on and before high, nil
// for none.
type bounds struct{ low, high []byte }

func (b bounds) hold(key []byte) bool {
	return bytes.Compare(key, b.low) >= 0 && (b.high == nil || bytes.Compare(key, b.high) < 0)
}

// bucket goes through a bucket, whose entry had the value given.
func (t *tree) bucket(value []byte, depth int, f func(entry)) {
	if len(value) < bucketHeader {
		t.bad(fmt.Errorf("a bucket of %d octets", len(value)))
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		t.page(root, depth, bounds{}, f)
		return
	}
	if inline := value[bucketHeader:]; len(inline) < pageHeader || flagsOf(inline) != flagLeaf {
		t.bad(errors.New("a bucket without content"))
	} else {
		t.leaf(inline, bounds{}, f)
	}
}

func flagsOf(page []byte) uint16 { return binary.NativeEndian.Uint16(page[8:]) }

func countOf(page []byte) int { return int(binary.NativeEndian.Uint16(page[10:])) }

// page goes through a page and those below it.
func (t *tree) page(id uint64, depth int, in bounds, f func(entry)) {
	p, err := t.read(id, depth)
	if err == nil && flagsOf(p) == flagBranch {
		err = t.branch(p, depth, in, f)
	} else if err == nil && flagsOf(p) == flagLeaf {
		t.leaf(p, in, f)
	} else if err == nil {
		err = fmt.Errorf("it is of kind %#x", flagsOf(p))
	}
	if err != nil {
		t.bad(fmt.Errorf("page %d: %w", id, err))
	}
}

// read reads a page with its overflow. It is valid until the next read at
// that depth.
func (t *tree) read(id uint64, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errors.New("it is too deep")
	}
	if err := t.visit(id, 1); err != nil {
		return nil, err
	}
	for depth >= len(t.buffers) {
		t.buffers = append(t.buffers, make([]byte, t.meta.pageSize))
	}
	p := t.buffers[depth][:t.meta.pageSize]
	at := int64(id * t.meta.pageSize)
	if _, err := t.r.ReadAt(p, at); err != nil {
		return nil, err
	}
	if got := binary.NativeEndian.Uint64(p); got != id {
		return nil, fmt.Errorf("it says that it is page %d", got)
	}
	if over := uint64(binary.NativeEndian.Uint32(p[12:])); over > 0 {
		if err := t.visit(id+1, over); err != nil {
			return nil, err
		}
		p = make([]byte, (1+over)*t.meta.pageSize)
		t.buffers[depth] = p
		if _, err := t.r.ReadAt(p, at); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// visit notes that n pages are in use.
func (t *tree) visit(id, n uint64) error {
	if high := uint64(len(t.seen)); id < 2 || id >= high || n > high-id {
		return fmt.Errorf("it is not one of the file's %d", high)
	}
	for i := id; i < id+n; i++ {
		if t.seen[i] {
			return errors.New("it is used twice")
		}
		t.seen[i] = true
	}
	return nil
}

func (t *tree) branch(p []byte, depth int, in bounds, f func(entry)) error {
	n := countOf(p)
	if n == 0 || pageHeader+n*elementSize > len(p) {
		return fmt.Errorf("%d elements", n)
	}
	// An element is pos 4, ksize 4, pgid 8.
	order := binary.NativeEndian
	keys := make([][]byte, n)
	for i := range n {
		e := p[pageHeader+i*elementSize:]
		pos, ksize := uint64(order.Uint32(e)), uint64(order.Uint32(e[4:]))
		if pos+ksize > uint64(len(e)) {
			t.bad(fmt.Errorf("the key of a page has %d octets at %d", ksize, pos))
			continue // and go through all the same
		}
		keys[i] = e[pos : pos+ksize]
		if !in.hold(keys[i]) || i > 0 && bytes.Compare(keys[i-1], keys[i]) >= 0 {
			t.bad(errors.New("the keys of two pages are not in order"))
		}
	}
	for i := range n {
		below := bounds{keys[i], in.high}
		if i+1 < n {
			below.high = keys[i+1]
		}
		t.page(order.Uint64(p[pageHeader+i*elementSize+8:]), depth+1, below, f)
	}
	return nil
}

func (t *tree) leaf(p []byte, in bounds, f func(entry)) {
	// An element is flags 4, pos 4, ksize 4, vsize 4.
	order := binary.NativeEndian
	n := countOf(p)
	var last []byte
	for i := range n {
		at := pageHeader + i*elementSize
		if at+elementSize > len(p) {
			t.bad(fmt.Errorf("%d elements are beyond the end of their page", n-i))
			return
		}
		e := p[at:]
		flags, pos, ksize, vsize := order.Uint32(e), uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
		if flags > 1 || pos+ksize+vsize > uint64(len(e)) {
			t.bad(fmt.Errorf("an element with the flags %d, of %d and %d octets at %d", flags, ksize, vsize, pos))
			continue
		}
		key := e[pos : pos+ksize]
		if !in.hold(key) || i > 0 && bytes.Compare(last, key) >= 0 {
			t.bad(errors.New("two elements are not in order"))
		}
		last = key
		f(entry{key, e[pos+ksize : pos+ksize+vsize], flags == 1})
	}
}

// free reads the list of free pages, and reports every page that is neither
// in use nor free. All that is in use must have been gone through.
func (t *tree) free() {
	if t.meta.freelist == noFreelist {
		return
	}
	p, err := t.read(t.meta.freelist, 0)
	if err == nil && flagsOf(p) != flagFree {
		err = fmt.Errorf("it is of kind %#x", flagsOf(p))
	}
	if err != nil {
		t.bad(fmt.Errorf("list of free pages: page %d: %w", t.meta.freelist, err))
		return
	}
	ids, n := p[pageHeader:], uint64(countOf(p))
	if n == 0xFFFF {
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		t.bad(fmt.Errorf("list of free pages: %d of them", n))
		return
	}
	for i := range n {
		id := binary.NativeEndian.Uint64(ids[i*8:])
		if err := t.visit(id, 1); err != nil {
			t.bad(fmt.Errorf("list of free pages: page %d: %w", id, err))
		}
	}
	for id, seen := range t.seen {
		if id >= 2 && !seen {
			t.bad(fmt.Errorf("page %d: it is neither in use nor free", id))
		}
	}
}
