package imapclient

import "bytes"

// objectID reads the argument of MAILBOXID: "(F2212ea87)". RFC 8474 section
// 7.
func objectID(b []byte) string {
	id := bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(b), []byte("(")), []byte(")"))
	if !isObjectID(id) {
		return ""
	}
	return string(id)
}

// objectID reads a value of that form, or returns nothing for another.
func (r *response) objectID() (string, error) {
	start, octets := r.pos, r.octets
	if err := r.skip(); err != nil || r.octets != octets { // a literal
		return "", err
	}
	return objectID(r.line[start:r.pos]), nil
}

// isObjectID tells whether b is the identifier of an object. RFC 8474 section
// 4.
func isObjectID(b []byte) bool {
	const longest = 255
	for _, ch := range b {
		if !('a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' || ch == '-' || ch == '_') {
			return false
		}
	}
	return len(b) > 0 && len(b) <= longest
}
