package imapclient

import (
	"bytes"
	"strings"

	"example.com/postbag/message"
)

// Field returns the values of a header field that was asked for, unfolded and
// decoded as text, in the order of the header.
func (i *Info) Field(name string) []string {
	var values []string
	var value []byte
	in := false
	end := func() {
		if in {
			values = append(values, message.DecodeText(string(value)))
		}
		in = false
	}
	for line := range bytes.Lines(i.Header) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			if in {
				value = append(value, line...)
			}
			continue
		}
		end()
		key, rest, ok := bytes.Cut(line, []byte(":"))
		if ok && strings.EqualFold(string(bytes.TrimSpace(key)), name) {
			in, value = true, append(value[:0], rest...)
		}
	}
	end()
	return values
}

// references fills in the field that an ENVELOPE lacks.
func (i *Info) references() {
	if i.Envelope == nil || len(i.Header) == 0 {
		return
	}
	if e, err := message.ReadEnvelope(bytes.NewReader(i.Header)); err == nil {
		i.Envelope.References = e.References
	}
}
