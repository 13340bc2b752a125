// Command inspect shows what is in a message: who wrote it, its parts, its
// text, what is attached, and what is wrong with it.
//
//	inspect FILE           for people; - is the standard input
//	inspect -json FILE     for programs
//	inspect -save DIR FILE also writes the attachments into DIR
//
// The JSON is a contract that scripts use; see [report]. The exit code is 0
// for any octets, 1 if they cannot be read or an attachment not be written, 2
// for a wrong command line.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the command; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("inspect", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: inspect [-json] [-save DIR] FILE|-")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "write JSON")
	save := flags.String("save", "", "write the attachments into this `directory`, under safe names")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() != 1:
		flags.Usage()
		return 2
	}
	if err := inspect(flags.Arg(0), *asJSON, *save, stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "inspect:", err)
		return 1
	}
	return 0
}

func inspect(name string, asJSON bool, save string, stdin io.Reader, stdout io.Writer) error {
	f, err := open(name, stdin)
	if err != nil {
		return err
	}
	defer f.Close()
	var s *saver
	if save != "" {
		if s, err = newSaver(save); err != nil {
			return err
		}
		defer s.close()
	}
	r, err := newReport(f, s)
	if err != nil {
		return err
	}
	if asJSON {
		return r.writeJSON(stdout)
	}
	return r.writeText(stdout)
}

// open opens a file. What comes from the standard input or from a pipe goes to
// a file that has no name, because a message is gone through twice.
func open(name string, stdin io.Reader) (*os.File, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Seek(0, io.SeekCurrent); err == nil {
			return f, nil
		}
		defer f.Close()
		stdin = f
	}
	f, err := os.CreateTemp("", "inspect-")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := io.Copy(f, stdin); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
