// Package message reads mail as it is: what a message says, decoded for
// people, however broken the message.
//
// [Read] reads a message as a stream: its [Envelope] first, then its parts
// ([Message.Parts]), each with its content decoded or as it came.
// [Message.Text], [Message.HTML] and [Message.Attachments] choose what people
// look for. [ReadEnvelope] reads no more than the header section.
//
// # Broken mail
//
// No content is an error; the only errors are those of reading. What breaks
// the rules is read as people's mail programs do, and what was done is told as
// a [Defect]; nothing is refused, and nothing is changed without a word. The
// octets as they came are always there: [Part.Raw], [Header.Raw], and
// [Message.Segments], which are the message to the octet.
//
// Every name, subject and the like that comes out is valid UTF-8 without
// control characters: octets in no known charset are taken for UTF-8, else for
// the charset of the message's text, else for Windows-1252.
//
// # Hostile mail
//
// Reading takes time in proportion to the size of the message, and memory that
// does not grow with it, but for what is asked for: the text, in memory, up to
// [Options].MaxText. All that could grow is bounded by [Options]; the zero
// value has bounds that no mail of people reaches.
//
// File names are made safe with [Filename]. HTML stays what a stranger wrote.
//
// # Signed and encrypted mail
//
// A part that is read itself, rather than the parts in it, is there to the
// octet, header section and content, as verifiers need it: see [Part]. This
// package verifies and decrypts nothing.
package message
