package disk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"example.com/postbag/retrieval"
)

// Mbox is a file of messages one after the other, as mail programs and
// /var/mail know it, of the kind mboxrd: each message begins with a From_
// line and ends with an empty line, and a line of it that looks like a From_
// line, with or without ">" before it, has one ">" more. It is a
// [retrieval.Sink], Flusher, Finder and Looker. Its methods may be called from several
// goroutines; messages are taken one at a time.
//
// A message is kept in a file beside the mailbox until [Mbox.Flush], which
// locks the mailbox, appends all that has come and makes it durable. See the
// package's documentation for what is stored, the locks and what a crash
// leaves.
type Mbox struct {
	path     string
	work     string // folder of the spool
	prefix   string // of its name
	keepCRLF bool
	patience time.Duration
	sync     func(*os.File) error

	turn  chan struct{} // holds one element while a method works
	spool *spool        // nil until there is a message
	last  int64         // stamp of the last delivery
	dirty bool          // Find found what may not be durable
	index mboxIndex
	in    *bufio.Reader
	out   *bufio.Writer
	ended bool
}

// MboxOptions are what an mbox may differ in; nil is the zero value.
type MboxOptions struct {
	// KeepCRLF stores lines with the CRLF that servers end them with. Without
	// it they end with LF, as most programs want them in an mbox.
	KeepCRLF bool

	// Patience is how long Flush and Find wait while another program has the
	// mailbox locked; 0 means 30 s.
	Patience time.Duration

	// Work is the folder for the file in which messages wait, and which after
	// a crash tells what was being appended. Empty means the mailbox's own
	// folder. All who deliver to a mailbox should use the same.
	Work string
}

// ErrNotMbox is the error about a file that does not begin as an mbox does,
// or is none. Nothing is written to it.
var ErrNotMbox = errors.New("not an mbox")

const defaultPatience = 30 * time.Second

// OpenMbox opens the mbox at path. A file that is not there is made, for its
// owner alone; the folder that it is in must be there. A symbolic link and
// what is not a regular file is refused, and so is a file that is not an mbox
// ([ErrNotMbox]).
func OpenMbox(path string, o *MboxOptions) (*Mbox, error) {
	if o == nil {
		o = new(MboxOptions)
	}
	m := &Mbox{
		path:     path,
		work:     o.Work,
		keepCRLF: o.KeepCRLF,
		patience: o.Patience,
		sync:     (*os.File).Sync,
		turn:     make(chan struct{}, 1),
	}
	if m.work == "" {
		m.work = folderOf(path)
	}
	if m.patience <= 0 {
		m.patience = defaultPatience
	}
	m.prefix = spoolPrefix(m.work, path)
	f, err := m.openFile()
	if err == nil {
		err = errors.Join(checkMbox(f), f.Close())
	}
	if err != nil {
		return nil, wrapMbox(err)
	}
	return m, nil
}

// Deliver takes a message. It is in the mailbox, durably, after [Mbox.Flush].
// The name returned tells the message from all others, and can be compared
// with [MboxMessage].Ref. A message that may have been delivered already
// ([retrieval.Message].Redelivery) is looked for, and not taken again.
func (m *Mbox) Deliver(ctx context.Context, msg *retrieval.Message) (ref string, err error) {
	if err := m.enter(ctx); err != nil {
		return "", wrapMbox(err)
	}
	defer m.leave()
	if m.spool == nil {
		s, err := newSpool(m.work, m.prefix, m.path)
		if err != nil {
			return "", wrapMbox(err)
		}
		m.spool = s
	}
	now := time.Now()
	m.last = max(m.last+1, now.UnixNano())
	line := fromLine{
		date: now,
		id:   uniqueName(msg.Box, msg.UID),
		made: m.last,
	}
	if y := msg.Received.UTC().Year(); y >= 1970 && y <= 9999 {
		line.date = msg.Received
	}
	end := m.spool.end
	if err := m.write(msg, &line); err != nil {
		m.spool.cut(end)
		return "", wrapMbox(err)
	}
	if !msg.Redelivery {
		return line.ref(), nil
	}
	ref, err = m.find(ctx, line.id, func(c mboxCopy) bool { return c.sum == line.sum })
	if err != nil || ref != "" {
		m.spool.cut(end)
		return ref, wrapMbox(err)
	}
	return line.ref(), nil
}

// write adds a message to the spool. What its From_ line says of the whole
// message is filled in at the end.
func (m *Mbox) write(msg *retrieval.Message, line *fromLine) error {
	begin := m.spool.end
	r, w := m.buffers()
	r.Reset(msg)
	defer r.Reset(nil)
	head, err := r.Peek(peekSize)
	if err != nil && err != io.EOF {
		return err
	}
	line.sender = returnPath(head)
	w.Reset(&spoolWriter{m.spool})
	w.WriteString(line.String()) // its error comes again with Flush
	enc := &mboxEncoder{w: w, convert: !m.keepCRLF}
	if _, err := r.WriteTo(enc); err != nil {
		return err
	}
	enc.finish(line)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = m.spool.f.WriteAt([]byte(line.String()), begin)
	return err
}

// buffers returns what all messages go through one after the other.
func (m *Mbox) buffers() (*bufio.Reader, *bufio.Writer) {
	if m.in == nil {
		m.in, m.out = bufio.NewReaderSize(nil, peekSize), bufio.NewWriterSize(nil, bufferSize)
	}
	return m.in, m.out
}

// peekSize is how far the Return-Path is looked for.
const peekSize = 8 << 10

// Flush implements [retrieval.Flusher]: it appends what was delivered and
// makes that durable. The mailbox is locked meanwhile. If another program has
// it for longer than the patience allows, the error is a [*LockError]. After
// an error the mailbox is as long as before.
func (m *Mbox) Flush(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		m.drop()
		return wrapMbox(err)
	}
	defer m.leave()
	err := m.flush(ctx)
	if m.spool != nil {
		m.spool.empty()
	}
	return wrapMbox(err)
}

func (m *Mbox) flush(ctx context.Context) error {
	pending := m.spool != nil && m.spool.end > spoolHeader
	if !pending && !m.dirty {
		return nil
	}
	if pending {
		if err := m.sync(m.spool.f); err != nil {
			return err
		}
	}
	l, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer l.release()
	if err := m.recover(l); err != nil {
		return err
	}
	if pending {
		err = m.append(l)
	} else {
		err = m.sync(l.f)
	}
	if err == nil {
		m.dirty = false
	}
	return err
}

// drop forgets what was delivered, because Flush was called with a context
// that is over.
func (m *Mbox) drop() {
	m.turn <- struct{}{}
	defer m.leave()
	if m.spool != nil && !m.ended {
		m.spool.empty()
	}
}

// Close drops what was delivered since the last Flush. Closing twice is no
// error.
func (m *Mbox) Close() error {
	m.turn <- struct{}{}
	defer m.leave()
	m.ended = true
	if m.spool != nil {
		m.spool.remove()
		m.spool = nil
	}
	return nil
}

// enter waits for the turn to work.
func (m *Mbox) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if m.ended {
		m.leave()
		return fs.ErrClosed
	}
	return nil
}

func (m *Mbox) leave() { <-m.turn }

func wrapMbox(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mbox: %w", err)
}
