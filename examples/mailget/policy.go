package main

import (
	"strings"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
)

var policies = map[string]retrieval.Policy{
	"leave":  retrieval.LeaveOnServer,
	"delete": retrieval.DownloadAndDelete,
	"sync":   retrieval.ServerSync,
}

var resets = map[string]retrieval.Reset{
	"stop":    retrieval.Stop,
	"rematch": retrieval.Rematch,
	"reseed":  retrieval.Reseed,
	"refetch": retrieval.Refetch,
}

// describe puts into an account what the flags say of retrieving.
func (o *options) describe(a *retrieval.Account) {
	a.Policy, a.Reset = policies[o.policy], resets[o.reset]
	switch {
	case o.deleteAfter > 0:
		a.Policy = retrieval.DeleteAfter(o.deleteAfter)
	case o.keepLast > 0:
		a.Policy = retrieval.KeepLast(o.keepLast)
	}
	a.Limits = retrieval.Limits{Messages: o.limit, Bytes: o.limitBytes, Time: o.limitTime, MessageSize: o.maxSize}
	a.Limits.BytesPerDay = o.limitDay
	a.NewestFirst, a.Retries = o.newestFirst, o.retry
	if o.from != "" || o.subject != "" {
		a.Filter.Envelope = o.wants
	}
	a.Mailboxes = o.patterns()
	if o.markSeen {
		a.After.Flags = []retrieval.Flag{retrieval.FlagSeen}
	}
	if o.moveTo != "" {
		a.After.MoveTo = o.moveTo // and it is left out of a.Mailboxes
	}
	if o.both || o.up {
		a.Upstream = retrieval.Upstream{Flags: true, Removals: true, Trash: o.trash, Only: o.up}
	}
}

// patterns are those of -mailboxes.
func (o *options) patterns() []string {
	var patterns []string
	for p := range strings.SplitSeq(o.mailboxes, ",") {
		if p = strings.TrimSpace(p); p != "" {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// wants is the filter of -from and -subject, which do not look at case.
func (o *options) wants(_ retrieval.Summary, env *message.Envelope) bool {
	if !contains(env.Subject, o.subject) {
		return false
	}
	for _, p := range env.From {
		if contains(p.Address, o.from) || contains(p.Name, o.from) {
			return true
		}
	}
	return o.from == ""
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
