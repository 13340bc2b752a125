package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A full disk is one clear error, leaves no half message, and is no loss: with
// room made the next run completes the work.
func TestFullDisk(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		disk := w.path("")
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"); err != nil {
			t.Skipf("cannot mount a small disk: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
		w.write("password", w.password)
		w.write("ca", w.ca)
		r := w.mailget(w.into("-policy", "delete", w.url)...)
		if r.code != 6 || !strings.Contains(r.stderr, "no space left") || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want exit code 6", p, r)
		}
		whole := sorted(demoMail())
		for _, f := range w.files() {
			if !slices.Contains(whole, f) {
				t.Errorf("%s: half a message: %d octets", p, len(f))
			}
		}
		if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT, "size=2m"); err != nil {
			t.Fatal(err)
		}
		w.must(w.mailget(w.into("-json", "-policy", "delete", w.url)...))
		if !slices.Equal(w.files(), whole) || len(w.server.Contents()) != 0 {
			t.Errorf("%s: %d files here, %d messages there after the second run", p, len(w.files()), len(w.server.Contents()))
		}
	}
}

func TestReadOnlyDisk(t *testing.T) {
	w := newPlace(t, protocols[0])
	w.server.Deliver(demoMail()...)
	w.must(w.mailget(w.into("-json", w.url)...))
	disk := w.path("mail")
	if err := syscall.Mount(disk, disk, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("cannot make a disk read-only: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot make a disk read-only: %v", err)
	}
	w.server.Deliver([]byte("Subject: new\r\n\r\n"))
	r := w.mailget(w.into(w.url)...)
	if r.code != 6 || !strings.Contains(r.stderr, "read-only file system") {
		t.Errorf("%+v, want exit code 6", r)
	}
}
