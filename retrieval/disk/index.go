package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// index knows under which file name each of our messages is in new and cur.
// Mail programs rename files at any time, so an entry is only a hint, which
// find verifies; the folders are read again when it was wrong.
type index struct {
	dir     string
	files   map[string]string // by name: "cur/name:2,FS"
	highest int               // number of a name

	read time.Time     // when the folders were read last
	took time.Duration // how long that took

	did func() // told when they were read once, in tests
}

// find returns the path of the file of a message, or nothing. To be sure that
// a message is gone the folders are read again, unless that was moments ago.
func (x *index) find(name string, sure bool) (path string, fi fs.FileInfo, err error) {
	for range 5 {
		if x.files == nil {
			if err := x.scan(); err != nil {
				return "", nil, err
			}
		}
		file, ok := x.files[name]
		if !ok {
			if sure && time.Since(x.read) > time.Second+20*x.took {
				x.files = nil
				continue
			}
			return "", nil, nil
		}
		path := filepath.Join(x.dir, file)
		fi, err := os.Lstat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, fi, err
		}
		x.files = nil // renamed or removed since: what else may have been?
	}
	return "", nil, nil // it comes and goes
}

func (x *index) put(name, file string) {
	if x.files != nil {
		x.files[name] = file
	}
	x.highest = max(x.highest, number(name))
}

func (x *index) drop(name string) { delete(x.files, name) }

// scan reads the folders. A rename in a folder that is being read may hide the file,
// so they are read until nothing has changed meanwhile, as far as time stamps tell.
func (x *index) scan() error {
	start := time.Now()
	files := make(map[string]string, len(x.files))
	x.highest = 1
	for range inventories {
		before, err := stamps(x.dir)
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := x.readInto(files); err != nil {
			return err
		}
		if x.did != nil {
			x.did()
		}
		after, err := stamps(x.dir)
		if err != nil {
			return err
		}
		if slices.EqualFunc(before, after, time.Time.Equal) && begun.Sub(slices.MaxFunc(after, time.Time.Compare)) > tickAge {
			break
		}
	}
	x.files, x.read, x.took = files, start, time.Since(start)
	return nil
}

// tickAge is how far the clock that folders are stamped with may lag behind.
const tickAge = 20 * time.Millisecond

// readInto adds what is in the folders to files: new first, because files move
// from there to cur.
func (x *index) readInto(files map[string]string) error {
	for _, sub := range []string{"new", "cur"} {
		err := eachName(filepath.Join(x.dir, sub), func(file string) error {
			if name, _, ok := splitName(file); ok {
				file = sub + "/" + file
				files[file[4:4+len(name)]] = file
				x.highest = max(x.highest, number(name))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachName calls f with the name of each file in a folder, which may hold
// very many.
func eachName(folder string, f func(name string) error) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1000)
		for _, name := range names {
			if err := f(name); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
