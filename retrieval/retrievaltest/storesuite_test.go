package retrievaltest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestLedger(t *testing.T) {
	rt.TestStore(t, func(t *testing.T) rt.StoreUnderTest {
		dir := t.TempDir()
		open := func(name string) (retrieval.Store, error) {
			l, err := disk.OpenLedger(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { l.Close() })
			return l, nil
		}
		store, err := open("0")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		return rt.StoreUnderTest{
			Store:     store,
			OpenAgain: func() (retrieval.Store, error) { return open(fmt.Sprint(n)) },
			Reopen: func() (retrieval.Store, error) { // what is in the file, while the ledger is open
				data, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(n)))
				if err != nil {
					return nil, err
				}
				n++
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), data, 0o600); err != nil {
					return nil, err
				}
				return open(fmt.Sprint(n))
			},
		}
	})
}

func TestMemory(t *testing.T) {
	rt.TestStore(t, func(t *testing.T) rt.StoreUnderTest { return rt.StoreUnderTest{Store: new(retrieval.Memory)} })
}

// TestMemoryStore is the store whose broken forms show that each case can fail.
func TestMemoryStore(t *testing.T) {
	rt.TestStore(t, func(t *testing.T) rt.StoreUnderTest { return newMemoryStore("").underTest() })
}
