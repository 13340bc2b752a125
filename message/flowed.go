package message

import "strings"

// Unflow joins the lines of a text that is format=flowed: a line that ends in
// a space goes on in the next, if that is quoted as deep. delsp says that the
// space is not one of the text. RFC 3676 section 4.
func Unflow(s string, delsp bool) string {
	var out strings.Builder
	depth, soft, last := 0, false, "" // of the line before
	for line := range strings.Lines(s) {
		end := line[len(strings.TrimRight(line, "\r\n")):]
		line = line[:len(line)-len(end)]
		d := len(line) - len(strings.TrimLeft(line, ">"))
		text := strings.TrimPrefix(line[d:], " ") // stuffing, section 4.4
		signature := text == "-- "
		if soft && (d != depth || signature) {
			out.WriteString(last)
			soft = false
		}
		if !soft && d > 0 {
			out.WriteString(strings.Repeat(">", d) + " ")
		}
		depth, soft, last = d, strings.HasSuffix(text, " ") && !signature, end
		if soft && delsp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		if !soft {
			out.WriteString(end)
		}
	}
	if soft { // there is no next line
		out.WriteString(last)
	}
	return out.String()
}
