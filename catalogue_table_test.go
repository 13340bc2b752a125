package postbag_test

import "slices"

const (
	steps     = "retrieval TestEveryStep" // a cut, a stall, a refusal and a goodbye at each command
	kill      = "internal/crashes TestKill"
	truncated = "retrieval TestTruncatedMessage"
)

// faults are A to F, I, J and L of the catalogue.
var faults = slices.Concat(faultsThere, faultsHere)

// faultsThere are those of servers and lines.
var faultsThere = []fault{
	// A. POP3, deleting: crashes and the line.
	{1, "not to be reached", []string{"retrieval TestConnectionFaults/F1 not to be reached", "pop3client TestFaults/F1 connect refused", "pop3client TestFaults/F1 name unknown"}, ""},
	{2, "no greeting", []string{"retrieval TestConnectionFaults/F2 no greeting"}, ""},
	{3, "a greeting that refuses, or of something else", []string{"retrieval TestConnectionFaults/F3 a greeting that refuses", "retrieval TestConnectionFaults/F3 a greeting of something else", "pop3client TestFaults/F3 F4 refusals have classes"}, ""},
	{4, "in use, at PASS", []string{"retrieval TestConnectionFaults/F4 in use", "pop3client TestFaults/F3 F4 refusals have classes"}, ""},
	{5, "cut within the login", []string{"retrieval TestConnectionFaults/F5 cut within the login", steps, "pop3client TestFaults/F5 drop within login"}, ""},
	{6, "cut within a list", []string{"retrieval TestConnectionFaults/F6 cut within a list", steps, "pop3client TestFaults/F6 drop within a list"}, ""},
	{7, "killed before RETR", []string{kill}, ""},
	{8, "cut within a header", []string{truncated, steps, "pop3client TestTruncated"}, ""},
	{9, "cut within a body", []string{truncated, steps, "pop3client TestTruncated"}, ""},
	{10, "cut before the terminator", []string{truncated, "pop3client TestTruncated"}, ""},
	{11, "cut within the terminator", []string{truncated, "pop3client TestTruncated"}, ""},
	{12, "killed after the sink's write", []string{kill}, ""},
	{13, "killed after publication, before the ledger", []string{kill}, ""},
	{14, "killed after the ledger, before DELE", []string{kill}, ""},
	{15, "killed or cut after DELE, before its reply", []string{kill, steps}, ""},
	{16, "killed or refused at DELE k of n", []string{kill, steps, "pop3client TestReceipt/F16: one refused", "retrieval TestSomeNotDeleted/F16 DELE, one"}, ""},
	{17, "cut at DELE", []string{steps, "pop3client TestReceipt/F17: cut at DELE"}, ""},
	{18, "cut at QUIT, not committed", []string{steps, "pop3client TestReceipt/F18: cut at QUIT"}, ""},
	{19, "killed at QUIT", []string{kill, steps}, ""},
	{20, "QUIT refused, nothing removed", []string{"retrieval TestMessageFaults/F20 QUIT is refused and nothing removed", steps, "pop3client TestUncommitted"}, ""},
	{21, "QUIT refused, some removed", []string{"retrieval TestMessageFaults/F21 QUIT is refused and some removed", "pop3client TestReceipt/F21: some removed"}, ""},
	{22, "committed, then cut", []string{"retrieval TestMessageFaults/F22 QUIT is carried out and the line cut", steps, "pop3client TestUncommitted"}, ""},
	{23, "committed, then killed", []string{kill}, ""},
	{24, "QUIT answered after five minutes", []string{"retrieval TestMessageFaults/F24 QUIT is answered after five minutes", "pop3client TestFaults/F24 QUIT is answered late"}, ""},
	{25, "what is deleted comes back", []string{"retrieval TestUndeleted"}, ""},
	{26, "DELE is ignored", []string{"retrieval TestUndeleted"}, ""},
	{27, "popped at QUIT, and the sink fails", []string{"retrieval TestPoppedAtQuit"}, ""},
	{28, "deleted on RETR", []string{"retrieval TestPoppedAtQuit"}, "Where QUIT is what deletes. A server that deletes at RETR itself cannot be told from another client that does, and a crash then loses what was on its way."},
	{29, "in use for ten minutes", []string{"retrieval TestMaildropInUse"}, ""},
	{30, "new mail, renumbered", []string{"retrieval TestNumbersChange/F30 numbers move up"}, ""},
	{31, "in another order", []string{"retrieval TestNumbersChange/F31 the order is another"}, ""},

	// B. POP3: names and lists.
	{32, "no UIDL", []string{"retrieval TestUIDLFaults/F32 no UIDL"}, "Deleting is refused as well as keeping, unless the account says Rematch: then names are made of the header sections (TestNoUIDL)."},
	{33, "UIDL refused for now", []string{"retrieval TestUIDLFaults/F33 UIDL is refused for now", "pop3client TestUIDLThatCAPAHas"}, ""},
	{34, "two messages with one name", []string{"retrieval TestUIDLFaults/F34 two messages with one name", "pop3client TestDuplicates"}, ""},
	{35, "a name is used again", []string{"retrieval TestUIDLFaults/F35 a name is used again, deleting", "retrieval TestUIDLFaults/F35 a name is used again, deleting, without TOP", "retrieval TestReturned", "retrieval TestReplaced"}, "Of mail that is left: if no listing in between lacked the name, and the new message has the size of the old one, it is taken for that; to find out would take a TOP of every message in every run. Nor is it deleted, unless the server lacks TOP."},
	{36, "all names change", []string{"retrieval TestUIDLFaults/F36 all names change", "retrieval TestReset"}, "Up to 20 messages are taken for new ones, as others may have deleted so many."},
	{37, "names change in case or prefix", []string{"retrieval TestUIDLFaults/F37 names change in case or prefix"}, ""},
	{38, "long names", []string{"retrieval TestUIDLFaults/F38 F39 long and odd names", "retrieval TestUIDLFaults/F38 a name of a megabyte", "pop3client TestListingReplies/F38: UID of a megabyte"}, ""},
	{39, "odd names", []string{"retrieval TestUIDLFaults/F38 F39 long and odd names", "retrieval TestUIDLFaults/F39 a name with ESC", "pop3client TestListingReplies/F39: UID with NUL", "retrieval/disk TestOddUIDs"}, ""},
	{40, "numbers that cannot be", []string{"retrieval TestUIDLFaults/F40 a number too high", "retrieval TestUIDLFaults/F40 a number twice", "pop3client TestListingReplies/F40: number beyond 2^64"}, ""},
	{41, "UIDL against STAT", []string{"retrieval TestUIDLFaults/F41 fewer than STAT says", "retrieval TestUIDLFaults/F41 more than STAT says", "pop3client TestListingReplies/F41: STAT says none"}, ""},
	{42, "LIST against UIDL", []string{"retrieval TestUIDLFaults/F42 LIST and UIDL differ", "pop3client TestListingReplies/F42: LIST and UIDL differ"}, ""},
	{43, "sizes that cannot be", []string{"retrieval TestUIDLFaults/F43 a size of -1", "retrieval TestUIDLFaults/F43 a size of 2^80", "pop3client TestListingReplies/F43: size -1"}, ""},
	{44, "STAT that cannot be", []string{"retrieval TestUIDLFaults/F44 STAT is out of bounds", "retrieval TestUIDLFaults/F44 STAT is empty", "pop3client TestListingReplies/F44: STAT -1 -1"}, ""},
	{45, "lists without end", []string{"retrieval TestUIDLFaults/F45 a list without end", "pop3client TestListingReplies/F45: endless LIST"}, ""},
	{46, "a list that stops", []string{"retrieval TestUIDLFaults/F38 to F46 a list that cannot be", "pop3client TestListingReplies/F46: list without an end"}, ""},
	{47, "Gmail's 250", []string{"retrieval TestUIDLFaults/F47 a list of 250"}, "One run takes one list; the next one goes on, and Watch comes back by itself."},
	{48, "TOP is not the message", []string{"retrieval TestUIDLFaults/F48 TOP is not the message", "pop3client TestFaults/F48 TOP is not the message"}, ""},

	// C. Content.
	{49, "dots and bare line ends", []string{"retrieval TestContent", "pop3client TestBody/F49: LF dot LF"}, ""},
	{50, "dots", []string{"retrieval TestContent", "pop3client TestBody/F50: dots", "pop3client TestBuffers"}, ""},
	{51, "lines at and beyond the buffers", []string{"retrieval TestContent", "pop3client TestBuffers", "pop3client TestFaults/F51 a line of many megabytes"}, "A line of 32 MB stands for one of 1 GB."},
	{52, "no line end at the end", []string{"retrieval TestContentWithoutEnd"}, "POP3 cannot tell it: the last line gets its end."},
	{53, "bare CR and LF, NUL, 8-bit, BOM", []string{"retrieval TestContent", "pop3client TestBody/F53: bare CR, bare LF, NUL, 8-bit, BOM"}, ""},
	{54, "nothing, header alone, no header, very many fields", []string{"retrieval TestContent", "retrieval TestContentWithoutEnd", "pop3client TestFaults/F54 a hundred thousand fields"}, ""},
	{55, "replies within", []string{"retrieval TestContent", "pop3client TestBody/F55: replies within"}, ""},
	{56, "sizes that lie", []string{"retrieval TestOversizeLie", "pop3client TestTooLarge"}, ""},
	{57, "RETR refused, for good and for now", []string{"retrieval TestPoisonRefused", "pop3client TestFaults/F57 a poisoned message"}, ""},
	{58, "hangs up over a message", []string{"retrieval TestPoison", "pop3client TestFaults/F58 drop at a message"}, ""},
	{59, "cut under TLS without close_notify", []string{truncated, steps, "pop3client TestFaults/F59 cut under TLS"}, ""},

	// D. IMAP: deletion, and others at work.
	{60, "marked by others before", []string{"retrieval TestDeletionFaults/F60 F61 F62 F66 marked by others, deleting", "retrieval TestRealForeign", "imapclient TestFaults/F60 marked by others before"}, ""},
	{61, "marked by others meanwhile", []string{"retrieval TestDeletionFaults/F60 F61 F62 F66 marked by others, deleting", "retrieval TestRealForeign", kill, "imapclient TestFaults/F61 marked by others meanwhile"}, ""},
	{62, "marked by others, of ours", []string{"retrieval TestDeletionFaults/F60 F61 F62 F66 marked by others, leaving", "retrieval TestDeletionFaults/F60 F61 F62 F66 marked by others, without MOVE", "retrieval TestRealForeign", "imapclient TestFollowFaults/F62 marked by others, and ours"}, ""},
	{63, "no UIDPLUS", []string{"retrieval TestDeletionFaults/F63 no UIDPLUS", "retrieval TestDeletionFaults/F60 F61 F62 F63 marked by others, without UIDPLUS", "imapclient TestFaults/F63 F65 no EXPUNGE and no CLOSE"}, ""},
	{64, "UID EXPUNGE is BAD", []string{"retrieval TestDeletionFaults/F64 UID EXPUNGE is BAD", "imapclient TestFaults/F64 UID EXPUNGE is refused"}, ""},
	{65, "expunged by CLOSE, LOGOUT or at once", []string{"retrieval TestDeletionFaults/F65 expunged at once", "retrieval TestRealForeign", "imapclient TestFaults/F63 F65 no EXPUNGE and no CLOSE"}, "A server that expunges at LOGOUT what others have marked does so by itself; nothing but what is to be deleted is ever marked here, and CLOSE is never said."},
	{66, "flags are added", []string{"retrieval TestDeletionFaults/F60 F61 F62 F66 marked by others, leaving", "retrieval TestRealForeign", "imapclient TestFollowFaults/F66 flags are added"}, ""},
	{67, "expunged by others meanwhile", []string{"retrieval TestDeletionFaults/F67 expunged by others meanwhile", "imapclient TestFetchFaults/F67 expunge in between"}, ""},
	{68, "nothing instead of a message", []string{"retrieval TestDeletionFaults/F68 NIL instead of a message", "retrieval TestNothingOfSomething", "retrieval TestNothingAmongOthers", "imapclient TestFetchFaults/F68 nothing instead of a body"}, ""},
	{69, "of others, out of order, cut", []string{"retrieval TestDeletionFaults/F69 of others, and cut before the end", "imapclient TestFetchFaults/F69 others, and out of order"}, ""},
	{70, "the last message whatever was asked", []string{"retrieval TestDeletionFaults/F70 nothing new", "imapclient TestFetchFaults/F70 the last message whatever was asked"}, ""},
	{71, "odd UIDs and UIDNEXTs", []string{"retrieval TestValidityFaults/F71 UIDNEXT is not true", "retrieval TestUIDNextOfWhatIsThere", "imapclient TestFetchFaults/F71 odd UIDs"}, ""},
	{72, "read-only", []string{"retrieval TestDeletionFaults/F72 read-only", "imapclient TestFaults/F72 F73 not allowed"}, ""},
	{73, "STORE is refused", []string{"retrieval TestDeletionFaults/F73 STORE is not permitted", "retrieval TestDeletionFaults/F73 STORE is over quota", "imapclient TestFaults/F72 F73 not allowed"}, ""},
	{74, "killed or cut at each step", []string{kill, steps, truncated, "imapclient TestFetchFaults/F74 the line is cut"}, ""},
	{75, "sent twice", []string{"retrieval TestDeletionFaults/F75 sent twice", "imapclient TestFetchFaults/F75 twice"}, ""},
	{76, "two workers", []string{"retrieval TestTwoWorkers/F76 at a time", "retrieval TestTwoWorkers/F76 fenced off", "retrieval/disk TestLedgerLocked"}, ""},

	// E. IMAP: names.
	{77, "UIDVALIDITY changed between sessions", []string{"retrieval TestValidityFaults/F77 other mail under the same numbers", "retrieval TestValidityFaults/F77 the same mail under another validity", "retrieval TestReset", "imapclient TestFollowFaults/F77 F78 renumbered"}, ""},
	{78, "UIDVALIDITY changed within a run", []string{"retrieval TestValidityFaults/F78 renumbered within a run", "imapclient TestFollowFaults/F77 F78 renumbered"}, ""},
	{79, "UIDVALIDITY absent, 0, lower, beyond 2^32", []string{"retrieval TestValidityFaults/F79 F81 validities that are none", "imapclient TestFollowFaults/F79 odd validities"}, ""},
	{80, "made anew, renamed", []string{"retrieval TestValidityFaults/F80 made anew, and renamed", "imapclient TestFaults/F80 made anew under the same name"}, "INBOX renamed is an INBOX without its messages: RFC 9051 has it so, and it is gone through as any other deletion by others."},
	{81, "UIDNOTSTICKY", []string{"retrieval TestValidityFaults/F79 F81 validities that are none", "imapclient TestFollowFaults/F81 UIDs that do not last"}, ""},
	{82, "listed and not there", []string{"retrieval TestValidityFaults/F82 listed and not there", "imapclient TestFaults/F82 listed and not there"}, ""},
	{83, "HIGHESTMODSEQ is not true", []string{"retrieval TestValidityFaults/F83 HIGHESTMODSEQ is not true", "imapclient TestFollowFaults/F83 HIGHESTMODSEQ is not true"}, ""},
	{84, "VANISHED of what was never there", []string{"retrieval TestValidityFaults/F84 VANISHED of what was never there", "imapclient TestFollowFaults/F84 VANISHED of what was never known"}, ""},
	{85, "no CLOSED", []string{"imapclient TestFollowFaults/F85 no CLOSED"}, ""},
	{86, "EXISTS is not true", []string{"retrieval TestValidityFaults/F86 EXISTS that is not true", "imapclient TestFetchFaults/F86 EXISTS that cannot be"}, ""},
	{87, "SEARCH is not true", []string{"imapclient TestFaults/F87 a search of 10 MB, and of more"}, "A run never searches."},

	// F. Waiting.
	{88, "IDLE refused, no plus, DONE raced", []string{"imapclient TestWatchFaults/F88 no plus"}, ""},
	{89, "never a word", []string{"imapclient TestWatchFaults/F89 never a word"}, ""},
	{90, "BYE while waiting", []string{"retrieval TestWatchNoIdling", "imapclient TestWatchFaults/F90 BYE"}, ""},
	{91, "the clock leaps", []string{"imapclient TestWatchFaults"}, ""},
	{92, "a storm", []string{"imapclient TestWatchFaults/F92 a storm"}, ""},
	{93, "the token expires while waiting", []string{"retrieval TestWatchToken"}, ""},
	{94, "hangs up after every login", []string{"retrieval TestWatchHangingUp"}, ""},
}

// faultsHere are those of this side.
var faultsHere = []fault{
	// I. Sinks.
	{119, "the disk is full", []string{"retrieval/disk TestFullDisk", "retrieval/disk TestFullDiskForLedger", "retrieval/disk TestFullDiskForMbox", "retrieval/disk TestSyncFails", "retrieval/disk TestPowerCut"}, ""},
	{120, "fsync fails", []string{"retrieval/disk TestMaildirSyncFails", "retrieval/disk TestMboxSyncFails", "retrieval/disk TestSyncFails"}, ""},
	{121, "no links, another disk", []string{"retrieval/disk TestMaildirAcrossDisks"}, "A Maildir is never filled by links, and a ledger falls back to rename; a FAT disk is not at hand to show it."},
	{122, "folders that are not as they should be", []string{"retrieval/disk TestMaildirFolders", "retrieval/disk TestMaildirTogether", "retrieval/disk TestMaildirAcrossDisks", "retrieval/disk TestReadOnlyDisk"}, "NFS is not at hand."},
	{123, "a mail program in between", []string{"retrieval/disk TestMaildirMailProgram"}, "What was deleted before the crash is recovered from comes once more, rather than be lost."},
	{124, "the clock goes back, odd host names", []string{"retrieval/disk TestClockBackwards"}, ""},
	{125, "mbox", []string{"retrieval/disk TestMboxForeignLock", "retrieval/disk TestMboxDotlock", "retrieval/disk TestMboxCrash", "retrieval/disk TestMboxRoundTrip", "retrieval/disk TestMboxReplaced", "retrieval/disk TestMboxRefuses"}, ""},
	{126, "a program", []string{"retrieval/relay TestF126", "retrieval/relay TestCommandHang"}, ""},
	{127, "LMTP and SMTP", []string{"retrieval/relay TestF127Phases", "retrieval/relay TestF127Mix", "retrieval/relay TestF127Lost", "retrieval/relay TestF127Ahead", "retrieval/relay TestF127EightBit", "retrieval/relay TestF127Smuggling", "retrieval/relay TestF127Junk"}, ""},
	{128, "a function", []string{"retrieval TestCallback"}, ""},

	// J. The ledger.
	{129, "a ledger that is not as it was", []string{"retrieval/disk TestLedgerFaults", "retrieval/disk TestNotALedger", "retrieval/disk TestDamagedLedger", "retrieval/disk TestLedgerCompactKilled", "retrieval/disk TestLedgerUpgrade", "retrieval/disk TestReadOnlyDisk", "retrieval/disk TestStateLost", "retrieval/disk BenchmarkMillion"}, ""},
	{130, "the mail is not where the ledger says", []string{"retrieval/disk TestStateLost", "retrieval TestLostMaildir"}, "A single file: that is believed, for people remove mail, and to forget its record brings it back. A Maildir that is another one is filled anew if removals are carried to the server, else believed as well."},

	// L. Retention and limits.
	{135, "DeleteAfter, and the clock", []string{"retrieval TestDeleteAfter", "retrieval TestDeleteAfterJump"}, ""},
	{136, "KeepLast, and others delete", []string{"retrieval TestKeepLast"}, ""},
	{137, "too large, then allowed", []string{"retrieval TestOversize"}, ""},
	{138, "limits of a run", []string{"retrieval TestLimits", "retrieval TestTimeLimit"}, ""},
	{139, "bandwidth by the day", []string{"retrieval TestBytesPerDay", "retrieval TestBytesPerDayKilled", "retrieval/disk TestLedgerHours"}, "The day is the last 24 to 25 hours. A listing can pass the limit, for nobody knows its size before, and so does a message that is larger than the limit: it comes once seven eighths are free, rather than never."},
}
