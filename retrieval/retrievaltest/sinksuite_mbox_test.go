package retrievaltest_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestMbox(t *testing.T) {
	for name, o := range map[string]*disk.MboxOptions{"LF": nil, "CRLF": {KeepCRLF: true}} {
		t.Run(name, func(t *testing.T) {
			rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
				path := filepath.Join(t.TempDir(), "mail")
				open := func() (retrieval.Sink, error) {
					m, err := disk.OpenMbox(path, o)
					if err != nil {
						return nil, err
					}
					t.Cleanup(func() { m.Close() })
					return m, nil
				}
				sink, err := open()
				if err != nil {
					t.Fatal(err)
				}
				return rt.SinkUnderTest{
					Sink:       sink,
					Contents:   func() ([]rt.Delivered, error) { return mboxContents(path) },
					Reopen:     open,
					Concurrent: true,
				}
			})
		})
	}
}

func mboxContents(path string) ([]rt.Delivered, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []rt.Delivered
	for m, err := range disk.ReadMbox(f) {
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(m)
		if err != nil {
			return nil, err
		}
		all = append(all, rt.Delivered{Ref: m.Ref, Data: data})
	}
	return all, nil
}
