package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"example.com/postbag/message"
)

// report is the JSON that the command writes. Names that are there stay, and
// mean the same; others may be added. Nothing is null: what a message lacks is
// an empty string or list.
type report struct {
	Envelope    envelope     `json:"envelope"`
	Text        string       `json:"text"` // made of the HTML if there is none
	HTML        string       `json:"html"` // a stranger's: not safe to show as it is
	Attachments []attachment `json:"attachments"`
	Parts       []part       `json:"parts"`
	Defects     []defect     `json:"defects"`
}

type envelope struct {
	Subject    string    `json:"subject"`
	From       []address `json:"from"`
	To         []address `json:"to"`
	Cc         []address `json:"cc"`
	Bcc        []address `json:"bcc"`
	ReplyTo    []address `json:"reply_to"`
	Date       string    `json:"date"` // RFC 3339
	MessageID  string    `json:"message_id"`
	InReplyTo  string    `json:"in_reply_to"` // the first one
	References []string  `json:"references"`
}

type address struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type attachment struct {
	Path        string `json:"path"`
	Filename    string `json:"filename"` // safe
	ContentType string `json:"content_type"`
	ContentID   string `json:"content_id"`
	Disposition string `json:"disposition"`
	Size        int64  `json:"size"` // octets, decoded
	SHA256      string `json:"sha256"`
}

type part struct {
	Path        string `json:"path"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"` // octets, decoded; of a container, those it is written in
}

type defect struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Kind   string `json:"kind"`
}

// newReport reads a message: once for its parts, and once for its text and
// attachments.
func newReport(f io.ReadSeeker, s *saver) (*report, error) {
	m, err := message.Read(f, nil)
	if err != nil {
		return nil, err
	}
	r := &report{Envelope: newEnvelope(m.Envelope()), Attachments: []attachment{}, Parts: []part{}, Defects: []defect{}}
	containers := make(map[int]*message.Part)
	for p, err := range m.Parts() {
		if err != nil {
			return nil, err
		}
		if p.Container() {
			containers[len(r.Parts)] = p
		} else if _, err := io.Copy(io.Discard, p); err != nil {
			return nil, err
		}
		r.Parts = append(r.Parts, part{p.Path, p.Type, p.Size()})
	}
	for i, p := range containers { // their sizes are known now
		r.Parts[i].Size = p.Size()
	}
	for p, err := range m.Attachments() {
		if err != nil {
			return nil, err
		}
		hash := sha256.New()
		var w io.Writer = hash
		if s != nil {
			file, err := s.create(p)
			if err != nil {
				return nil, err
			}
			w = io.MultiWriter(hash, file)
			if _, err := io.Copy(w, p); err != nil {
				file.Close()
				return nil, err
			}
			if err := file.Close(); err != nil {
				return nil, err
			}
		} else if _, err := io.Copy(w, p); err != nil {
			return nil, err
		}
		r.Attachments = append(r.Attachments, attachment{
			p.Path, p.Filename, p.Type, p.ContentID, p.Disposition, p.Size(), hex.EncodeToString(hash.Sum(nil)),
		})
	}
	if r.Text, err = m.Text(); err != nil {
		return nil, err
	}
	if r.HTML, err = m.HTML(); err != nil {
		return nil, err
	}
	for _, d := range m.Defects() {
		r.Defects = append(r.Defects, defect{d.Path, d.Offset, string(d.Kind)})
	}
	return r, nil
}

func newEnvelope(e *message.Envelope) envelope {
	out := envelope{
		Subject: e.Subject,
		From:    addresses(e.From), To: addresses(e.To), Cc: addresses(e.Cc), Bcc: addresses(e.Bcc), ReplyTo: addresses(e.ReplyTo),
		MessageID:  e.MessageID,
		References: append([]string{}, e.References...),
	}
	if len(e.InReplyTo) > 0 {
		out.InReplyTo = e.InReplyTo[0]
	}
	if !e.Date.IsZero() {
		out.Date = e.Date.Format(time.RFC3339)
	}
	return out
}

func addresses(list []message.Address) []address {
	out := []address{}
	for _, a := range list {
		out = append(out, address{a.Name, a.Address})
	}
	return out
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
