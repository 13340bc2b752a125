package imapclient

import "example.com/postbag/message"

// params reads a list of names and values (RFC 9051 section 9, body-fld-param)
// into a map by names in lower case, decoded.
func (t *tree) params(i int32) map[string]string {
	kids := t.children(i, make([]int32, 0, 8))
	var pairs [][2]string
	for k := 0; k < len(kids); k += 2 {
		pairs = append(pairs, [2]string{t.str(kids[k]), t.str(nth(kids, k+1))})
	}
	return message.DecodeParameters(pairs)
}
