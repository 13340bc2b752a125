package imapclient_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// notHere are the faults of the catalogue (shared/research/tools.md, section 9)
// that are numbered 60 to 118 and that a client cannot show, and who can.
var notHere = map[int]string{
	76: "two workers with one account: retrieval and its ledger",
	93: "a token that expires while the server is waited for: who logs in again, retrieval",
	94: "a server that hangs up after every login: who calls again, retrieval",
}

// Every fault of the catalogue that befalls an IMAP client is in a test, by
// its number.
func TestCatalogue(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range regexp.MustCompile(`\bF[0-9]+\b`).FindAll(src, -1) {
			shown[string(n)] = true
		}
	}
	for n := 60; n <= 118; n++ {
		if !shown[fmt.Sprintf("F%d", n)] && notHere[n] == "" {
			t.Errorf("F%d is not shown", n)
		}
	}
}
