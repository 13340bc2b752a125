package message

import "encoding/binary"

// rtfDictionary is what compressed RTF begins with, unseen. [MS-OXRTFCP]
// section 2.1.2.1.
const rtfDictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// decompressRTF undoes the compression of RTF, [MS-OXRTFCP], up to so many
// octets: it is whole if there are no more.
func decompressRTF(b []byte, most int) (rtf []byte, whole, ok bool) {
	if len(b) < rtfHeader {
		return nil, true, false
	}
	said := int64(binary.LittleEndian.Uint32(b[4:]))
	size := int(min(said, int64(most)))
	rtf, ok = unpackRTF(b, size)
	return rtf, !ok || said == int64(size), ok
}

const rtfHeader = 16 // octets

func unpackRTF(b []byte, size int) (rtf []byte, ok bool) {
	switch binary.LittleEndian.Uint32(b[8:]) {
	case 0x414c454d: // MELA: not compressed
		n := min(size, len(b)-rtfHeader)
		return b[rtfHeader : rtfHeader+n], n == size
	case 0x75465a4c: // LZFu
	default:
		return nil, false
	}
	b = b[rtfHeader:]
	var dict [4096]byte
	at := copy(dict[:], rtfDictionary)
	put := func(c byte) {
		dict[at] = c
		at = (at + 1) % len(dict)
		rtf = append(rtf, c)
	}
	for len(b) > 0 && len(rtf) < size {
		flags := b[0]
		b = b[1:]
		for bit := range 8 {
			if flags>>bit&1 == 0 {
				if len(b) < 1 || len(rtf) >= size {
					return rtf, len(rtf) == size
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return rtf, false
			}
			ref := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from, n := ref>>4, ref&15+2
			if from == at {
				return rtf, len(rtf) == size
			}
			for i := range n {
				if len(rtf) < size {
					put(dict[(from+i)%len(dict)])
				}
			}
		}
	}
	return rtf, len(rtf) == size
}
