package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"example.com/postbag/retrieval"
)

// What a Maildir notes of a store is in a file beside tmp, new and cur, where
// mail programs do not look: one for each mailbox, so that processes that
// deliver from several need not wait for one another.
//
//	postbag-4f0c…29.store
//
// It has two lines, the identity quoted as in Go, and a checksum:
//
//	postbag store 1 "9d3c…7e"
//	5e0bc0f3
const (
	noteSuffix = ".store"
	noteStart  = "postbag store 1 "
	maxNote    = 4 << 10
)

func (d *Maildir) notePath(box retrieval.Box) string {
	return filepath.Join(d.dir, uniqueName(box, "")+noteSuffix)
}

// Witnessed implements [retrieval.Witness]. A note that is damaged, or that
// is not a file, is an error: it tells neither that there was a store nor
// that there was none. Who knows better removes it.
func (d *Maildir) Witnessed(ctx context.Context, box retrieval.Box) (store string, err error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	store, err = readNote(d.notePath(box))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return store, wrap(err)
}

func readNote(path string) (string, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	damaged := func(what string) error { return fmt.Errorf("the note of the store, %s, is %s", path, what) }
	if !fi.Mode().IsRegular() {
		return "", damaged("not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNote+1))
	if err != nil {
		return "", err
	}
	line, sum, _ := strings.Cut(string(b), "\n")
	quoted, ok := strings.CutPrefix(line, noteStart)
	store, err := strconv.Unquote(quoted)
	if !ok || err != nil || len(b) > maxNote || sum != noteSum(line) {
		return "", damaged("damaged")
	}
	return store, nil
}

func noteSum(line string) string {
	return fmt.Sprintf("%08x\n", crc32.Checksum([]byte(line), castagnoli))
}

// Note implements [retrieval.Witness]. The note is there, whole and durable,
// or the one before it.
func (d *Maildir) Note(ctx context.Context, box retrieval.Box, store string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	line := noteStart + strconv.Quote(store)
	text := line + "\n" + noteSum(line)
	if len(text) > maxNote {
		return wrap(fmt.Errorf("the identity of a store has %d octets", len(store)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return wrap(fs.ErrClosed)
	}
	tmp := filepath.Join(d.dir, "tmp", fmt.Sprintf("%s.%016x", uniqueName(box, ""), rand.Uint64()))
	err := writeDurably(tmp, text)
	if err == nil {
		err = os.Rename(tmp, d.notePath(box))
	}
	if err != nil {
		os.Remove(tmp)
		return wrap(err)
	}
	return wrap(syncFolder(d.dir))
}

func writeDurably(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(cmp.Or(err, f.Sync()), f.Close())
}
