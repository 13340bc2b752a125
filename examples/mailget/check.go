package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/postbag/retrieval"
)

// check refuses what cannot be meant, before anything is opened or sent.
func (o *options) check(urls int) error {
	if o.demo {
		if urls > 0 {
			return usageError("-demo needs no URL: it brings its own servers")
		}
		return nil
	}
	_, isPolicy := policies[o.policy]
	_, isReset := resets[o.reset]
	switch {
	case urls != 1:
		return usageError("one URL is needed, there are %d (-help tells more)", urls)
	case !isPolicy:
		return usageError("-policy %q is none of leave, delete, sync", o.policy)
	case o.limit < 0:
		return usageError("-limit %d is less than nothing", o.limit)
	case o.progress != "auto" && o.progress != "never":
		return usageError("-progress %q is neither auto nor never", o.progress)
	case o.passwordEnv != "" && o.passwordFile != "":
		return usageError("-password-env and -password-file cannot both be")
	case o.unmasked && o.record == "":
		return usageError("-record-unmasked goes with -record")
	case !isReset:
		return usageError("-reset %q is none of stop, rematch, reseed, refetch", o.reset)
	}
	if err := o.checkWritten(); err != nil {
		return err
	}
	if o.list {
		return o.checkList()
	}
	for _, check := range []func() error{o.checkSink, o.checkPolicy, o.checkAfter, o.checkBoth, o.checkHow} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkWritten refuses to write a session over what is read or kept.
func (o *options) checkWritten() error {
	kept := []string{o.ledger, o.passwordFile, o.caFile}
	for _, d := range o.to {
		if d.kind == "mbox" {
			kept = append(kept, d.rest)
		}
	}
	for _, w := range []struct{ flag, name string }{{"-transcript", o.transcript}, {"-record", o.record}} {
		for _, name := range kept {
			if w.name != "" && name != "" && isSameFile(w.name, name) {
				return usageError("%s would write over %s", w.flag, name)
			}
		}
		kept = append(kept, w.name)
	}
	return nil
}

// isSameFile tells whether two names are of one file, which need not be there.
func isSameFile(a, b string) bool {
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	return filepath.Clean(a) == filepath.Clean(b) || errA == nil && errB == nil && fa.Mode().IsRegular() && os.SameFile(fa, fb)
}

// checkList refuses flags about retrieving, but for those that have always been
// let through.
func (o *options) checkList() error {
	for _, name := range strings.Fields("dry-run watch poll retry mailboxes rcpt limit-bytes limit-day limit-time newest-first max-size from subject delete-after keep-last mark-seen move-to both up trash") {
		if o.given[name] {
			return usageError("-list retrieves nothing, so -%s says nothing to it", name)
		}
	}
	return nil
}

const destinations = "maildir:DIR, mbox:FILE, pipe:'PROGRAM …', lmtp:HOST:PORT, smtp:HOST:PORT"

func (o *options) checkSink() error {
	if len(o.to) == 0 {
		return usageError("where? -to %s or none, or -list", destinations)
	}
	for i, d := range o.to {
		switch {
		case !d.isSound():
			return usageError("-to %q is none of %s, lmtp:/SOCKET, smtp:/SOCKET, none", d.flag, destinations)
		case d.kind == "none" && len(o.to) > 1:
			return usageError("-to none cannot be beside another -to")
		case slices.ContainsFunc(o.to[:i], func(other destination) bool { return other.kind == d.kind && other.rest == d.rest }):
			return usageError("-to %q is there twice", d.flag)
		}
	}
	relays := o.goesTo("lmtp", "smtp")
	switch {
	case relays && len(o.rcpt) == 0:
		return usageError("-to lmtp and -to smtp need -rcpt: who gets the mail?")
	case !relays && len(o.rcpt) > 0:
		return usageError("-rcpt goes with -to lmtp or smtp")
	case !o.goesTo("pipe") && o.allowRoot:
		return usageError("-allow-root goes with -to pipe")
	}
	return nil
}

func (o *options) checkPolicy() error {
	switch {
	case o.given["keep-last"] && o.keepLast < 1:
		return usageError("-keep-last %d keeps nothing: that is -policy delete", o.keepLast)
	case o.deleteAfter > 0 && o.keepLast > 0:
		return usageError("-delete-after and -keep-last cannot both be")
	case (o.deleteAfter > 0 || o.keepLast > 0) && o.policy != "leave":
		return usageError("-delete-after and -keep-last are policies themselves: they cannot be with -policy %s", o.policy)
	case o.deleteAfter > 0 && o.ledger == "":
		return usageError("-delete-after needs -ledger: what is not remembered never is old")
	case o.policy == "sync" && o.ledger == "":
		return usageError("-policy sync needs -ledger: what is not remembered cannot be followed")
	case o.goesTo("none") && (o.policy != "leave" || o.deletes()):
		return usageError("%s needs a place to keep mail: -to none would lose it", o.policyFlag())
	case o.policy == "sync" && o.goesTo("mbox", "pipe", "lmtp", "smtp"):
		return usageError("-policy sync needs -to maildir: elsewhere copies cannot follow the server")
	}
	return nil
}

func (o *options) checkAfter() error {
	what := "-mark-seen"
	if o.moveTo != "" {
		what = "-move-to"
	}
	switch {
	case o.given["move-to"] && o.moveTo == "":
		return usageError("-move-to needs the name of a mailbox")
	case !o.markSeen && o.moveTo == "":
		return nil
	case o.deletes():
		return usageError("%s leaves nothing there for %s", o.policyFlag(), what)
	case o.policy == "sync" && o.moveTo != "":
		return usageError("-policy sync would remove here what -move-to moves there")
	case o.goesTo("none"):
		return usageError("%s says that mail was delivered: -to none throws it away", what)
	}
	return nil
}

func (o *options) checkBoth() error {
	switch {
	case o.both && o.up:
		return usageError("-both and -up cannot both be")
	case (o.both || o.up) && o.policy != "sync":
		return usageError("-both and -up go with -policy sync")
	case (o.both || o.up) && len(o.to) > 1:
		return usageError("-both and -up take one -to: of two copies that differ nobody can tell which was changed")
	case o.given["trash"] && !o.both && !o.up:
		return usageError("-trash goes with -both or -up")
	case o.given["trash"] && o.trash == "":
		return usageError("-trash needs the name of a mailbox")
	}
	return nil
}

// checkHow is about how it is gone about, and what is printed.
func (o *options) checkHow() error {
	switch {
	case o.dryRun && o.watch:
		return usageError("-dry-run and -watch cannot both be")
	case o.retry < 0:
		return usageError("-retry %d is less than never", o.retry)
	case o.given["poll"] && !o.watch:
		return usageError("-poll goes with -watch")
	case o.watch && o.given["retry"]:
		return usageError("-watch goes on by itself: -retry says nothing to it")
	case o.watch && o.ledger == "":
		return usageError("-watch needs -ledger: without it every start would deliver all again")
	case o.limitDay > 0 && o.ledger == "":
		return usageError("-limit-day needs -ledger: what is not remembered does not add up")
	case o.watch && o.record != "":
		return usageError("-record goes with a single run, not with -watch")
	case o.given["mailboxes"] && len(o.patterns()) == 0:
		return usageError("-mailboxes %q chooses nothing", o.mailboxes)
	}
	return nil
}

// checkServer refuses what a URL's server cannot do, whatever it is.
func (o *options) checkServer(a retrieval.Account) error {
	if o.plaintext && a.Security == retrieval.TLS {
		return usageError("-plaintext goes with %s://, not with %ss://", a.Protocol, a.Protocol)
	}
	if a.Protocol == retrieval.POP3 {
		switch {
		case o.policy == "sync":
			return usageError("-policy sync needs IMAP: a POP3 server has no flags, and does not say why a message is gone")
		case o.markSeen || o.moveTo != "":
			return usageError("-mark-seen and -move-to need IMAP: POP3 has neither flags nor mailboxes")
		case o.mailboxes != "":
			return usageError("-mailboxes needs IMAP: POP3 has no mailboxes")
		}
	}
	here, there := a.Box().Mailbox, (&retrieval.Account{Mailbox: o.moveTo}).Box().Mailbox
	switch {
	case o.mailboxes != "" && a.Mailbox != "":
		return usageError("-mailboxes goes with a URL that names no mailbox")
	case o.moveTo != "" && o.mailboxes == "" && here == there:
		return usageError("-move-to %q is where the messages are", o.moveTo)
	}
	return nil
}

// deletes tells whether messages are deleted on the server as a policy has it.
func (o *options) deletes() bool {
	return o.policy == "delete" || o.deleteAfter > 0 || o.keepLast > 0
}

// policyFlag is the flag that says the policy.
func (o *options) policyFlag() string {
	switch {
	case o.deleteAfter > 0:
		return "-delete-after"
	case o.keepLast > 0:
		return "-keep-last"
	}
	return "-policy " + o.policy
}
