package imapclient_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// what a method that takes strings is called with; sample is a harmless value
// for the string at a path, where "a" is none.
type injected struct {
	args   func() []any
	sample map[string]string
	unsent []string // strings at these paths are not sent
}

// injections has every method of a Client that takes strings.
var injections = map[string]injected{
	"Append": {args: func() []any {
		return []any{"a", io.Reader(strings.NewReader("hello")), int64(5), (*imapclient.AppendOptions)(nil)}
	}},
	"Auth": {
		args: func() []any {
			return []any{imapclient.Credentials{User: "u", Password: "p", Mechanisms: []string{"PLAIN"}}}
		},
		sample: map[string]string{"0.Mechanisms[]": "PLAIN"},
	},
	"Changes":       {args: func() []any { return []any{"a", imapclient.Cursor{}, imapclient.Set{}} }},
	"SelectChanges": {args: func() []any { return []any{"a", imapclient.Cursor{}, imapclient.Set{}} }},
	"Watch":         {args: func() []any { return []any{&imapclient.WatchOptions{Mailboxes: []string{"a"}}} }, unsent: []string{"0.Mailboxes[]"}}, // see TestWatchOptions
	"Copy":          {args: func() []any { return []any{imapclient.UIDs(1), "a"} }},
	"CreateMailbox": {args: func() []any { return []any{"a", []string(nil)} }, sample: map[string]string{"1[]": `\Sent`}},
	"DeleteMailbox": {args: func() []any { return []any{"a"} }},
	"Enable":        {args: func() []any { return []any{[]string(nil)} }, sample: map[string]string{"0[]": "CONDSTORE"}},
	"Examine":       {args: func() []any { return []any{"a"} }},
	"Fetch":         {args: func() []any { return []any{imapclient.UIDs(1), imapclient.Items{Size: true}} }},
	"ID":            {args: func() []any { return []any{map[string]string{}} }},
	"List":          {args: func() []any { return []any{(*imapclient.ListOptions)(nil)} }},
	"Login":         {args: func() []any { return []any{"u", "p"} }},
	"Mailboxes":     {args: func() []any { return []any{"a"} }},
	"Matching":      {args: func() []any { return []any{sampleQuery()} }},
	"Move":          {args: func() []any { return []any{imapclient.UIDs(1), "a", (*imapclient.MoveOptions)(nil)} }},
	"Part": {
		args:   func() []any { return []any{uint32(1), "1", (*imapclient.PartOptions)(nil)} },
		sample: map[string]string{"1": "1"},
		unsent: []string{"2.Encoding"},
	},
	"Quota":         {args: func() []any { return []any{"a"} }},
	"RenameMailbox": {args: func() []any { return []any{"a", "b"} }},
	"Search":        {args: func() []any { return []any{sampleQuery(), (*imapclient.SearchOptions)(nil)} }},
	"Select":        {args: func() []any { return []any{"a"} }},
	"SetQuota":      {args: func() []any { return []any{"a", map[string]uint64{"a": 1}} }},
	"SetFlags": {args: func() []any {
		return []any{imapclient.AddFlags, []string(nil), []uint32{1}}
	}},
	"SetFlagsUnlessChanged": {args: func() []any {
		return []any{uint64(5), imapclient.AddFlags, []string(nil), imapclient.UIDs(1)}
	}},
	"Sort":        {args: func() []any { return []any{sampleQuery(), (*imapclient.SortOptions)(nil)} }, sample: map[string]string{"1.By[].Key": "ARRIVAL"}},
	"Status":      {args: func() []any { return []any{"a", imapclient.StatusMessages} }},
	"Subscribe":   {args: func() []any { return []any{"a"} }},
	"Threads":     {args: func() []any { return []any{"REFERENCES", sampleQuery()} }, sample: map[string]string{"0": "REFERENCES"}},
	"Unsubscribe": {args: func() []any { return []any{"a"} }},
}

func sampleQuery() *imapclient.Query {
	return &imapclient.Query{Header: []imapclient.HeaderField{{Name: "a"}}}
}

// A string with CR, LF or NUL, which could be read as another command, is
// refused before an octet is written, wherever it stands in an argument.
func TestInjections(t *testing.T) {
	client := reflect.TypeFor[*imapclient.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		var paths []string
		for n := 1; n < m.Type.NumIn(); n++ {
			paths = append(paths, stringPaths(m.Type.In(n), fmt.Sprint(n-2), 0)...)
		}
		how, listed := injections[m.Name]
		if len(paths) > 0 != listed {
			t.Errorf("%s takes strings at %q; in the table: %v", m.Name, paths, listed)
		}
		for _, path := range paths {
			if !listed || slices.Contains(how.unsent, path) {
				continue
			}
			t.Run(m.Name+" "+path, func(t *testing.T) {
				sample := how.sample[path]
				if sample == "" {
					sample = "a"
				}
				if written, err := call(t, m.Name, how.args(), path, sample); written == 0 {
					t.Fatalf("with %q nothing is written: %v", sample, err)
				}
				for _, bad := range []string{"\r\n", "\r", "\n", "\x00"} {
					for _, s := range []string{sample + bad + "x", bad + sample, sample + bad} {
						if written, err := call(t, m.Name, how.args(), path, s); err == nil || written > 0 || strings.ContainsAny(err.Error(), "\r\n\x00") {
							t.Errorf("%q: %d octets are written, %v", s, written, err)
						}
					}
				}
			})
		}
	}
}

// The same holds for what is given before there is a session.
func TestInjectionsInOptions(t *testing.T) {
	for _, id := range []map[string]string{{"name": "a\r\nx"}, {"name\r\n": "a"}, {"name": "a\x00"}} {
		client, server := session.Pipe()
		fmt.Fprint(server, "* OK [CAPABILITY IMAP4rev1 ID] hi\r\n")
		if _, err := imapclient.New(t.Context(), client, &imapclient.Options{ID: id}); err == nil {
			t.Errorf("%q is accepted", id)
		}
		if b, err := io.ReadAll(server); len(b) > 0 || err != nil {
			t.Errorf("%q: %q is written, %v", id, b, err)
		}
	}
}

// stringPaths returns where in a value of type t there are strings.
func stringPaths(t reflect.Type, path string, depth int) []string {
	var paths []string
	switch t.Kind() {
	case reflect.String:
		return []string{path}
	case reflect.Pointer:
		return stringPaths(t.Elem(), path, depth)
	case reflect.Slice:
		return stringPaths(t.Elem(), path+"[]", depth)
	case reflect.Map:
		return append(stringPaths(t.Key(), path+"{key}", depth), stringPaths(t.Elem(), path+"{value}", depth)...)
	case reflect.Struct:
		if depth > 1 { // a query within a query
			return nil
		}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				paths = append(paths, stringPaths(f.Type, path+"."+f.Name, depth+1)...)
			}
		}
	}
	return paths
}

// setString sets the string at a path, and makes room for it.
func setString(v reflect.Value, path, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		setString(v.Elem(), path, s)
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		setString(v.Index(0), strings.TrimPrefix(path, "[]"), s)
	case reflect.Map:
		if path == "{key}" {
			value := reflect.New(v.Type().Elem()).Elem()
			if value.Kind() == reflect.String {
				value.SetString("a")
			}
			v.SetMapIndex(reflect.ValueOf(s), value)
		} else {
			v.SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf(s))
		}
	case reflect.Struct:
		name := path[1:]
		if end := strings.IndexAny(name, ".[{"); end >= 0 {
			name = name[:end]
		}
		setString(v.FieldByName(name), path[1+len(name):], s)
	}
}

// call calls a method of a new client with the string s at a path of its
// arguments, and returns how much was written.
func call(t *testing.T, name string, args []any, path, s string) (written int64, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, end := injectable(t, name == "Login" || name == "Auth")
	defer end()
	if name == "Login" || name == "Auth" {
		if _, err := c.Capabilities(ctx); err != nil {
			t.Fatal(err)
		}
	} else if _, err := c.Select(ctx, "INBOX"); err != nil {
		t.Fatal(err)
	}
	m := reflect.ValueOf(c).MethodByName(name)
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for i, a := range args {
		v := reflect.New(m.Type().In(i + 1)).Elem()
		v.Set(reflect.ValueOf(a))
		if rest, ok := strings.CutPrefix(path, fmt.Sprint(i)); ok {
			setString(v, rest, s)
		}
		in = append(in, v)
	}
	before := c.Stats().Out
	var out []reflect.Value
	if m.Type().IsVariadic() {
		out = m.CallSlice(in)
	} else {
		out = m.Call(in)
	}
	switch r := out[len(out)-1].Interface().(type) {
	case error:
		err = r
	case iter.Seq2[imapclient.Info, error]:
		for _, e := range r {
			err = e
		}
	case iter.Seq2[imapclient.Summary, error]:
		for _, e := range r {
			err = e
		}
	}
	return c.Stats().Out - before, err
}

// injectable returns a client of a server that can everything and does
// nothing.
func injectable(t *testing.T, greetOnly bool) (c *imapclient.Client, end func()) {
	t.Helper()
	client, server := session.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		status := "PREAUTH"
		if greetOnly {
			status = "OK"
		}
		fmt.Fprintf(server, "* %s [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID ENABLE SPECIAL-USE CREATE-SPECIAL-USE OBJECTID X-GM-EXT-1 %s] hi\r\n", status, everyExtension)
		for lines := bufio.NewScanner(server); lines.Scan(); {
			tag, command, _ := strings.Cut(lines.Text(), " ")
			answer := "NO [CANNOT] no"
			if command == "SELECT INBOX" {
				fmt.Fprint(server, "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n")
				answer = "OK [READ-WRITE] done"
			}
			fmt.Fprintf(server, "%s %s\r\n", tag, answer)
		}
	}()
	c, err := imapclient.New(t.Context(), client, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() { c.Close(); <-done }
}
