package main

import (
	"crypto/rand"
	"io"
	"log"
	"os"
	"path/filepath"
)

// deliver puts the message on the standard input into a Maildir, durably. It
// is what fetchmail delivers with: fetchmail itself has no Maildir.
func deliver(dir string) {
	name := rand.Text()
	f, err := os.OpenFile(filepath.Join(dir, "tmp", name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = io.Copy(f, os.Stdin)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, "new", name))
	}
	if err == nil {
		err = syncFolder(filepath.Join(dir, "new"))
	}
	if err != nil {
		log.SetFlags(0)
		log.Print(err)
		os.Exit(75) // temporary, in sysexits
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
