package message

// Options bound what reading a message may cost. A field of zero means its
// default. What is beyond a bound is passed over or left undivided, and a
// [Defect] says so; nothing is refused.
type Options struct {
	// MaxDepth is how deep multiparts and messages may be within one another;
	// 200. What is deeper is a part that is not divided.
	MaxDepth int

	// MaxParts is how many parts there may be; 10,000. The last one holds all
	// that follows. It is also how many files may be found in the contents of
	// parts: in TNEF, and in text as uuencode and yEnc.
	MaxParts int

	// MaxHeader is how many octets of a header section count, for the message
	// and for each part; 1 MiB.
	MaxHeader int

	// MaxFields is how many fields of a header section count; 10,000.
	MaxFields int

	// MaxParams is how many parameters of a Content-Type or
	// Content-Disposition count; 200.
	MaxParams int

	// MaxDecoded is how many octets come out of all parts in one reading,
	// with transfer encodings undone; 4 GiB.
	MaxDecoded int64

	// MaxText is how many octets of text and of HTML, in UTF-8, [Message.Text]
	// and [Message.HTML] hold in memory, and so is what a TNEF file may have;
	// 32 MiB. What is made of them may be twice as long, and take up to ten
	// times as much while it is made.
	MaxText int

	// Unflow joins the lines of text that is format=flowed. RFC 3676 section 4.2.
	Unflow bool
}

const maxHeader = 1 << 20 // octets

// withDefaults returns a copy in which nothing is zero.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	for _, f := range []struct {
		value *int
		def   int
	}{
		{&c.MaxDepth, 200},
		{&c.MaxParts, 10_000},
		{&c.MaxHeader, maxHeader},
		{&c.MaxFields, 10_000},
		{&c.MaxParams, 200},
		{&c.MaxText, 32 << 20},
	} {
		if *f.value <= 0 {
			*f.value = f.def
		}
	}
	if c.MaxDecoded <= 0 {
		c.MaxDecoded = 4 << 30
	}
	return c
}
