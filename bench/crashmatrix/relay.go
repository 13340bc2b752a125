package main

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"
	"time"
)

// relay is one IMAP connection, on which one fault happens: at a command, or
// where the server has said certain words.
type relay struct {
	*imapServer
	client, server net.Conn
	stores         int // STORE commands so far; up's own

	mu      sync.Mutex
	waiting map[string]chan struct{} // by tag: closed when the command is answered
	muted   bool                     // nothing more passes in either direction
}

// up is from the client to the server.
func (r *relay) up() {
	defer r.server.Close()
	lines := bufio.NewReader(r.client)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil || r.isMuted() {
			return
		}
		verb := commandOf(line)
		here := r.fault.at != "" && r.fault.at == verb && r.armed() && (verb != "EXPUNGE" || r.stores > 0)
		if verb == "STORE" {
			r.stores++
		}
		if here {
			r.settle()
			r.strike()
			if r.fault.answered {
				r.mute()
				answered := r.expect(line)
				r.server.Write(line)
				<-answered
			}
			if r.fire() {
				return
			}
		}
		r.expect(line)
		if _, err := r.server.Write(line); err != nil {
			return
		}
	}
}

// down is from the server to the client.
func (r *relay) down() {
	defer hangUp(r.client)
	buf := make([]byte, 64<<10)
	var rest, seen []byte // an unfinished line; what a fault waits for
	for {
		n, err := r.server.Read(buf)
		chunk := buf[:n]
		rest = r.noteAnswers(append(rest, chunk...))
		if !r.isMuted() && len(r.fault.within) > 0 && r.armed() {
			seen = append(seen, chunk...)
			if at, ok := find(seen, r.fault.within); ok {
				// Of what came with it nothing more gets through.
				passes := max(len(chunk)-(len(seen)-at), 0)
				r.client.Write(chunk[:passes])
				chunk = chunk[passes:]
				r.strike()
				if r.fire() {
					return
				}
			}
		}
		if !r.isMuted() {
			r.client.Write(chunk)
		}
		if err != nil {
			r.forget()
			return
		}
	}
}

// fire lets the fault happen. True means that the connection is at its end.
func (r *relay) fire() (over bool) {
	switch r.fault.does {
	case cut:
	case crash:
		r.mute()
		r.kill()
	case other:
		r.fault.act(r.imapServer)
		return false
	}
	r.mute()
	hangUp(r.client)
	r.server.Close()
	return true
}

// expect notes that a command will be answered.
func (r *relay) expect(line []byte) (answered chan struct{}) {
	answered = make(chan struct{})
	tag, _, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		close(answered) // goes on with a command: a literal, a challenge
		return answered
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[string(tag)] = answered
	return answered
}

// noteAnswers reads tags off whole lines, and returns the line not yet whole.
func (r *relay) noteAnswers(b []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			return b
		}
		b = rest
		tag, _, _ := bytes.Cut(line, []byte(" "))
		if answered := r.waiting[string(tag)]; answered != nil {
			close(answered)
			delete(r.waiting, string(tag))
		}
	}
}

// forget gives up on what will not be answered any more.
func (r *relay) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tag, answered := range r.waiting {
		close(answered)
		delete(r.waiting, tag)
	}
}

// settle waits until all commands so far are answered, for a while.
func (r *relay) settle() {
	r.mu.Lock()
	var open []chan struct{}
	for _, answered := range r.waiting {
		open = append(open, answered)
	}
	r.mu.Unlock()
	enough := time.After(2 * time.Second)
	for _, answered := range open {
		select {
		case <-answered:
		case <-enough:
			return
		}
	}
}

func (r *relay) mute() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.muted = true
}

func (r *relay) isMuted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.muted
}

// find looks for words, one behind the other, and returns where the last ends.
func find(b []byte, words []string) (end int, ok bool) {
	for _, w := range words {
		i := bytes.Index(b[end:], []byte(w))
		if i < 0 {
			return 0, false
		}
		end += i + len(w)
	}
	return end, true
}

// commandOf returns which of the commands that matter a line is, if any.
func commandOf(line []byte) string {
	words := strings.Fields(strings.ToUpper(string(line)))
	if len(words) > 2 && words[1] == "UID" {
		words = words[1:]
	}
	if len(words) < 2 {
		return ""
	}
	switch words[1] {
	case "EXPUNGE", "CLOSE":
		return "EXPUNGE"
	case "STORE":
		return "STORE"
	}
	return ""
}
