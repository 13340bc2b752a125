package retrieval

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// The print of a header section is the same however it comes.
func TestPrintInPieces(t *testing.T) {
	for _, tt := range []struct{ name, header string }{
		{"short", "Subject: a\r\nStatus: RO\r\n x\r\nTo: b\r\n\r\n"},
		{"a long line", "Subject: " + strings.Repeat("x\r", maxPrinted) + "\r\nTo: b\r\n\r\n"},
		{"a long line of the server's own", "X-Keywords: " + strings.Repeat("x", 2*maxPrinted) + "\r\nTo: b\r\n\r\n"},
		{"lines up to the end of what counts", strings.Repeat("X: "+strings.Repeat("x", 60)+"\r\n", maxPrinted/60) + "\r\n"},
		{"without an end", "Subject: a\r\nTo: b\r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prints := make(map[Print][]string)
			for _, size := range []int{1, 7, 1000, 4096, 32 << 10, maxPrinted - 1, maxPrinted + 1, len(tt.header)} {
				p := new(printer)
				for b := []byte(tt.header); len(b) > 0; {
					n := min(size, len(b))
					p.write(bytes.Clone(b[:n]))
					b = b[n:]
				}
				print := p.print()
				prints[print] = append(prints[print], fmt.Sprint(size))
			}
			if len(prints) != 1 {
				t.Errorf("in pieces of these sizes there are %d prints: %v", len(prints), prints)
			}
		})
	}
}
