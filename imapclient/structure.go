package imapclient

import (
	"iter"
	"strings"

	"example.com/postbag/message"
)

// Part is a part of a message as the server describes it, and with its parts
// the structure of the message (BODYSTRUCTURE, RFC 9051 section 7.5.2). Text
// is decoded, also from RFC 2047 and RFC 2231; names of types, encodings and
// parameters are in lower case. What the server did not tell is empty.
type Part struct {
	// Number names the part for [Client.Part]: "1.2" is the second part of the
	// first. The body of a message that has several parts is "TEXT", or
	// "1.2.TEXT" if the message is within another.
	Number string

	Type              string // such as "text/plain"
	Params            map[string]string
	Disposition       string // "attachment", "inline"
	DispositionParams map[string]string

	// Filename is what the sender calls the part: a name to show.
	// [message.Filename] makes one of it that is safe to write to.
	Filename string

	ID          string // Content-ID without angle brackets
	Description string
	Encoding    string // Content-Transfer-Encoding
	Size        int64  // octets as encoded; -1 if not told
	Lines       int64  // of text and messages; -1 if not told
	MD5         string
	Language    []string
	Location    string

	// Envelope is of the message that the part is, or nil.
	Envelope *message.Envelope

	// Parts are the parts of a multipart, or the one body of a message.
	Parts []*Part
}

// All yields the part and all parts in it, each before those that are in it.
func (p *Part) All() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { p.walk(yield) }
}

// walk goes no deeper than maxDepth.
func (p *Part) walk(yield func(*Part) bool) bool {
	if p == nil {
		return true
	}
	if !yield(p) {
		return false
	}
	for _, q := range p.Parts {
		if !q.walk(yield) {
			return false
		}
	}
	return true
}

// Find returns the part of a number, or nil.
func (p *Part) Find(number string) *Part {
	for q := range p.All() {
		if strings.EqualFold(q.Number, number) {
			return q
		}
	}
	return nil
}

// IsMultipart tells whether the part is made of others.
func (p *Part) IsMultipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// IsMessage tells whether the part is a message.
func (p *Part) IsMessage() bool { return p.Type == "message/rfc822" || p.Type == "message/global" }
