package pop3client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// UTF8 lets the server send headers in UTF-8 as they are, instead of
// something in their place (UTF8, RFC 6856 section 2). It is to be called
// before login. A server that does not offer it is [errors.ErrUnsupported],
// and gets no command.
//
// QUIRK: without it Courier sends a notice in place of such a message.
func (c *Client) UTF8(ctx context.Context) error {
	if !c.caps.Has("UTF8") {
		return fmt.Errorf("pop3: UTF8: %w", errors.ErrUnsupported)
	}
	return c.simple(ctx, "UTF8")
}

// Language is one in which a server can put the text of its replies.
type Language struct {
	Tag  string // RFC 5646, such as "en" or "de-CH"
	Name string // the language's name, in itself
}

// maxLanguages is far beyond what any server has.
const maxLanguages = 1000

// Languages returns the languages that the server has (LANG, RFC 6856 section
// 3). A server that does not offer LANG is [errors.ErrUnsupported].
func (c *Client) Languages(ctx context.Context) ([]Language, error) {
	if !c.caps.Has("LANG") {
		return nil, fmt.Errorf("pop3: LANG: %w", errors.ErrUnsupported)
	}
	release, err := c.begin(ctx, "LANG")
	if err != nil {
		return nil, err
	}
	defer release()
	r, err := c.exchange("LANG", "LANG", "LANG")
	if err != nil {
		return nil, err
	}
	var list []Language
	if err := c.lines(r, maxLanguages, func(line []byte) error {
		tag, name, _ := bytes.Cut(line, []byte(" "))
		list = append(list, Language{string(tag), string(name)})
		return nil
	}); err != nil {
		return nil, c.lost("LANG", err)
	}
	return list, nil
}

// SetLanguage asks for the text of replies in a language, "*" for the
// server's choice, and returns what the server says in it (LANG, RFC 6856
// section 3). One that the server does not have is an [*Error], and nothing
// changes.
func (c *Client) SetLanguage(ctx context.Context, tag string) (string, error) {
	if !c.caps.Has("LANG") {
		return "", fmt.Errorf("pop3: LANG: %w", errors.ErrUnsupported)
	}
	if tag == "" || strings.Contains(tag, " ") {
		return "", fmt.Errorf("pop3: LANG: %.40q is no language tag", tag)
	}
	if err := checkArgument("LANG", tag); err != nil {
		return "", err
	}
	release, err := c.begin(ctx, "LANG")
	if err != nil {
		return "", err
	}
	defer release()
	r, err := c.exchange("LANG", "LANG "+tag, "LANG "+tag)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(r.text)), nil
}
