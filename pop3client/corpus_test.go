package pop3client_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	recorded "example.com/postbag/internal/session"
	"example.com/postbag/pop3client"
)

// recording is a POP3 session of the corpus: what the server answered to each
// command.
type recording struct {
	greeting []byte
	turns    []turn
}

type turn struct {
	command string
	reply   []byte
}

func readRecording(name string) (*recording, error) {
	s, err := recorded.ParseFile(name)
	if err != nil {
		return nil, err
	}
	r := new(recording)
	for _, conn := range s.Conns {
		for _, step := range conn.Steps {
			switch step.Kind {
			case recorded.Server:
				if len(r.turns) == 0 {
					r.greeting = append(r.greeting, step.Data...)
				} else {
					last := &r.turns[len(r.turns)-1]
					last.reply = append(last.reply, step.Data...)
				}
			case recorded.Client:
				r.turns = append(r.turns, turn{command: strings.TrimRight(string(step.Data), "\r\n")})
			case recorded.AnyLine:
				r.turns = append(r.turns, turn{command: "…"})
			}
		}
	}
	r.share()
	if !bytes.HasPrefix(r.greeting, []byte("+")) && !bytes.HasPrefix(r.greeting, []byte("-")) {
		return nil, nil
	}
	return r, nil
}

// share gives each of several commands that were sent at once its part of
// the answer.
func (r *recording) share() {
	for i := range r.turns {
		t := &r.turns[i]
		if len(t.reply) > 0 || i+1 == len(r.turns) {
			continue
		}
		last := i + 1
		for last < len(r.turns)-1 && len(r.turns[last].reply) == 0 {
			last++
		}
		all := r.turns[last].reply
		status, _, _ := bytes.Cut(all, []byte("\n"))
		end := len(status) + 1
		words := strings.Fields(t.command)
		many := verb(t.command) == "CAPA" || verb(t.command) == "RETR" || verb(t.command) == "TOP" || len(words) == 1 && (verb(t.command) == "LIST" || verb(t.command) == "UIDL")
		if many && bytes.HasPrefix(all, []byte("+OK")) {
			end = bytes.Index(all, []byte("\r\n.\r\n")) + 5
		}
		if end > 4 && end < len(all) {
			t.reply, r.turns[last].reply = all[:end], all[end:]
		}
	}
}

// serve answers each command as it was answered in the session: the first
// time with the first answer, and so on. During an exchange that
// authenticates, lines are answered in their order.
func (r *recording) serve(conn net.Conn) {
	defer conn.Close()
	conn.Write(r.greeting)
	used := make([]bool, len(r.turns))
	lines := bufio.NewScanner(conn)
	next := -1 // the turn that goes on with an exchange
	for lines.Scan() {
		i := next
		if i < 0 {
			i = r.find(lines.Text(), used)
		}
		next = -1
		if i < 0 {
			conn.Write([]byte("-ERR not in the session\r\n"))
			continue
		}
		used[i] = true
		if verb(lines.Text()) == "AUTH" && len(strings.Fields(lines.Text())) > len(strings.Fields(r.turns[i].command)) && i+1 < len(r.turns) {
			i++ // the initial response came with the command
			used[i] = true
		}
		conn.Write(r.turns[i].reply)
		if isChallenge(r.turns[i].reply) && i+1 < len(r.turns) {
			next = i + 1
		}
		if verb(lines.Text()) == "QUIT" {
			return
		}
	}
}

// isChallenge tells whether the server waits for more; some leave out the space.
func isChallenge(reply []byte) bool {
	return bytes.HasPrefix(reply, []byte("+")) && !bytes.HasPrefix(reply, []byte("+OK"))
}

func verb(line string) string {
	v, _, _ := strings.Cut(line, " ")
	return strings.ToUpper(v)
}

func (r *recording) find(line string, used []bool) int {
	secret := verb(line) == "PASS" || verb(line) == "AUTH" || verb(line) == "APOP" || verb(line) == "USER"
	last := -1
	for i, t := range r.turns {
		mechanism := verb(line) != "AUTH" || strings.HasPrefix(line+" ", t.command+" ") && len(t.command) > len("AUTH")
		if strings.EqualFold(t.command, line) || secret && verb(t.command) == verb(line) && mechanism {
			if !used[i] {
				return i
			}
			last = i
		}
	}
	return last
}

// unstuffed returns the text of a multi-line reply.
func unstuffed(reply []byte) []byte {
	_, text, _ := bytes.Cut(reply, []byte("\r\n"))
	text = bytes.TrimSuffix(text, []byte(".\r\n"))
	text = bytes.TrimPrefix(bytes.ReplaceAll(append([]byte("\r\n"), text...), []byte("\r\n."), []byte("\r\n")), []byte("\r\n"))
	return text
}

// TestCorpus goes through the POP3 sessions of the corpus beside the module:
// it gives each command that was given there, and what the server answered
// must come out: a message to the octet, an error where there was one.
func TestCorpus(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "corpus", "sessions")
	if _, err := os.Stat(root); err != nil {
		t.Log("the corpus is not there: nothing to go through")
		return
	}
	var passed, failed, commands int
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".txt" {
			return err
		}
		r, err := readRecording(name)
		if err != nil || r == nil || len(r.turns) == 0 {
			return nil // another format, or another protocol
		}
		short, _ := filepath.Rel(root, name)
		n, why := follow(t, r)
		commands += n
		if len(why) == 0 {
			passed++
			t.Logf("passed %s: %d commands", short, n)
			return nil
		}
		failed++
		t.Errorf("failed %s:\n\t%s", short, strings.Join(why, "\n\t"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sessions passed, %d failed, %d commands", passed, failed, commands)
}

// follow gives the commands of a session, and returns what came out otherwise
// than it should.
func follow(t *testing.T, r *recording) (n int, why []string) {
	client, server := recorded.Pipe()
	go r.serve(server)
	c, err := pop3client.New(t.Context(), client, &pop3client.Options{AllowPlaintext: true})
	if bytes.HasPrefix(r.greeting, []byte("-ERR")) != (err != nil) {
		return 0, []string{fmt.Sprintf("greeting %q: %v", r.greeting, err)}
	}
	if err != nil {
		return 1, nil
	}
	defer c.Close()
	user := ""
	for i, turn := range r.turns {
		for j := i + 1; verb(turn.command) == "AUTH" && isChallenge(turn.reply) && j < len(r.turns); j++ {
			turn.reply = r.turns[j].reply // what the exchange came to
		}
		if c.Err() != nil {
			break
		}
		bad, known := try(t, c, turn, &user)
		if known {
			n++
		}
		if bad != "" {
			why = append(why, fmt.Sprintf("%s: answered %.60q: %s", turn.command, turn.reply, bad))
		}
	}
	return n, why
}

// try gives one command. known says that it is one that a caller can give.
func try(t *testing.T, c *pop3client.Client, turn turn, user *string) (bad string, known bool) {
	ctx := t.Context()
	words := strings.Fields(turn.command)
	if len(words) == 0 {
		return "", false
	}
	number := 0
	if len(words) > 1 {
		number, _ = strconv.Atoi(words[1])
	}
	var err error
	var text []byte
	switch verb(turn.command) {
	case "USER":
		*user = strings.TrimPrefix(turn.command, words[0]+" ")
		return "", false
	case "PASS":
		err = c.Login(ctx, *user, "password")
	case "APOP":
		err = c.APOP(ctx, words[1], "password")
	case "AUTH":
		if len(words) < 2 {
			return "", false
		}
		if m := strings.ToUpper(words[1]); m != "PLAIN" && m != "LOGIN" {
			return "", false // a challenge that was for another
		}
		err = c.Auth(ctx, pop3client.Credentials{User: "username", Password: "password", Mechanisms: []string{words[1]}})
	case "STAT":
		_, _, err = c.Stat(ctx)
	case "LIST", "UIDL":
		switch {
		case verb(turn.command) == "LIST" && len(words) == 1:
			_, err = c.List(ctx)
		case len(words) == 1:
			_, err = c.UIDL(ctx)
		case verb(turn.command) == "LIST":
			for _, e := range c.ListEach(ctx, number) {
				err = e
			}
		default:
			for _, e := range c.UIDLEach(ctx, number) {
				err = e
			}
		}
	case "RETR", "TOP":
		var b *pop3client.Body
		if verb(turn.command) == "RETR" {
			b, err = c.Retr(ctx, number)
		} else {
			lines, _ := strconv.Atoi(words[2])
			b, err = c.Top(ctx, number, lines)
		}
		if err == nil {
			if text, err = io.ReadAll(b); err == nil && !bytes.Equal(text, unstuffed(turn.reply)) {
				return fmt.Sprintf("%d octets came out, want %d", len(text), len(unstuffed(turn.reply))), true
			}
		}
	case "DELE":
		var results []error
		if results, err = c.Dele(ctx, number); err == nil {
			err = results[0]
		}
	case "NOOP":
		err = c.Noop(ctx)
	case "RSET":
		err = c.Rset(ctx)
	case "UTF8":
		err = c.UTF8(ctx)
	case "LANG":
		if len(words) == 1 {
			_, err = c.Languages(ctx)
		} else {
			_, err = c.SetLanguage(ctx, words[1])
		}
	case "QUIT":
		err = c.Quit(ctx)
	default:
		return "", false
	}
	ok := bytes.HasPrefix(turn.reply, []byte("+OK"))
	switch {
	case ok && err == nil:
		return "", true
	case ok && errors.Is(err, pop3client.ErrProtocol) && !wellFormed(turn):
		return "", true // it is right to refuse it
	case !ok && err != nil:
		return "", true
	case len(turn.reply) == 0:
		return "", true // the session ends here
	}
	return fmt.Sprint(err), true
}

// wellFormed tells whether the lines of a STAT, LIST or UIDL reply have the
// form that RFC 1939 gives them.
func wellFormed(turn turn) bool {
	lines := strings.Split(strings.TrimSuffix(string(turn.reply), "\r\n"), "\r\n")
	words := strings.Fields(turn.command)
	single := verb(turn.command) == "STAT" || len(words) > 1
	if single {
		lines[0] = strings.TrimPrefix(lines[0], "+OK ")
	} else {
		lines = lines[1:]
	}
	for _, l := range lines {
		if l == "." {
			continue
		}
		f := strings.Fields(l)
		if len(f) < 2 {
			return false
		}
		if _, err := strconv.ParseUint(f[0], 10, 31); err != nil {
			return false
		}
		if _, err := strconv.ParseInt(f[1], 10, 64); err != nil && verb(turn.command) != "UIDL" {
			return false
		}
	}
	return true
}
