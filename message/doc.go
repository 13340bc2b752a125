// Package message reads mail as it is: what a message says, decoded for
// people, however broken the message.
//
// [ReadEnvelope] reads who wrote to whom, when and about what, from a header
// section, or from a whole message without reading more of it than it must.
//
// # Broken mail
//
// No content is an error; the only errors are those of reading. What cannot
// be understood is left out or shown as it came. Every string that comes out
// is valid UTF-8 without control characters: octets in no known charset are
// taken for UTF-8, else for the charset of the message's text, else for
// Windows-1252.
//
// # Hostile mail
//
// Reading takes time in proportion to the size of the header section, of
// which at most 1 MiB is read.
package message
