package fakemail

import (
	"strconv"
	"strings"
)

func nstring(s string) string {
	if s == "" {
		return "NIL"
	}
	return quote(s)
}

func number(n int) string { return strconv.Itoa(n) }

// envelope returns the ENVELOPE of a header. Nothing in it is decoded. RFC
// 9051 section 7.5.2.
func envelope(header []byte) string {
	from := addressList(field(header, "From"))
	or := func(name string) string { // what is missing is From's
		if list := addressList(field(header, name)); list != "NIL" {
			return list
		}
		return from
	}
	return "(" + strings.Join([]string{
		nstring(field(header, "Date")), nstring(field(header, "Subject")),
		from, or("Sender"), or("Reply-To"),
		addressList(field(header, "To")), addressList(field(header, "Cc")), addressList(field(header, "Bcc")),
		nstring(field(header, "In-Reply-To")), nstring(field(header, "Message-ID")),
	}, " ") + ")"
}

// addressList returns the addresses of a field, with groups as RFC 9051 has
// them: begun by a name alone and ended by nothing.
func addressList(value string) string {
	var out []string
	add := func(list string) {
		for _, a := range splitOutside(list, ',') {
			if a = strings.TrimSpace(a); a != "" {
				out = append(out, address(a))
			}
		}
	}
	for _, piece := range splitOutside(value, ';') {
		group := splitOutside(piece, ':')
		if len(group) == 1 {
			add(piece)
			continue
		}
		// What stands before the group's name is addresses.
		names := splitOutside(group[0], ',')
		add(strings.Join(names[:len(names)-1], ","))
		out = append(out, "(NIL NIL "+nstring(unquote(stripComments(names[len(names)-1])))+" NIL)")
		add(strings.Join(group[1:], ":"))
		out = append(out, "(NIL NIL NIL NIL)")
	}
	if len(out) == 0 {
		return "NIL"
	}
	return "(" + strings.Join(out, "") + ")"
}

// address returns one address: name, source route, mailbox, host.
func address(s string) string {
	name, spec := "", s
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		name = unquote(stripComments(s[:open]))
		spec, _, _ = strings.Cut(s[open+1:], ">")
	} else if open := strings.IndexByte(s, '('); open >= 0 {
		name, _, _ = strings.Cut(s[open+1:], ")") // the old way
		spec = stripComments(s)
	}
	spec = strings.TrimSpace(spec)
	if strings.HasPrefix(spec, "@") { // a source route. RFC 5322 section 4.4
		if _, rest, found := strings.Cut(spec, ":"); found {
			spec = rest
		}
	}
	local, host := spec, ""
	if at := strings.LastIndexByte(spec, '@'); at >= 0 {
		local, host = spec[:at], spec[at+1:]
	}
	// NIL in the place of a mailbox or a host would be a group's.
	return "(" + nstring(name) + " NIL " + quote(unquote(local)) + " " + quote(host) + ")"
}
