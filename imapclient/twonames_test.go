package imapclient_test

import (
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

// Two mailboxes are never one, whatever their names decode to.
func TestTwoNames(t *testing.T) {
	for _, tt := range []struct{ first, second, firstName, secondName string }{
		{"&ZeVnLIqe-", "日本語", "日本語", "日本語'"},
		{"日本語", "&ZeVnLIqe-", "日本語", "&ZeVnLIqe-"},
		{"&ZeVnLIqe-", "&ZeU-&Zyw-&ip4-", "日本語", "&ZeU-&Zyw-&ip4-"},
		{"&ZeU-&Zyw-&ip4-", "&ZeVnLIqe-", "日本語", "&ZeVnLIqe-"},
		{"caf\xe9", "caf\xe8", "caf\ufffd", "cafè"},
		{"R&D", "R&-D", "R&D", "R&-D"},
	} {
		t.Run(fmt.Sprintf("%q", tt.first), func(t *testing.T) {
			list := lines(`C: a1 LIST "" "*"`, b64(`* LIST () "/" "`+tt.first+"\"\r\n"), b64(`* LIST () "/" "`+tt.second+"\"\r\n"), b64(`* LIST () "/" "`+tt.first+"\"\r\n"), "S: a1 OK")
			c := authed(t, "", list+list+lines(
				"C: a2 SELECT \""+tt.first+"\"", "S: a2 OK", "C: a2 SELECT \""+tt.second+"\"", "S: a2 OK",
				"C: a3 STATUS \""+tt.first+"\" (MESSAGES)", b64(`* STATUS "`+tt.second+"\" (MESSAGES 2)\r\n"), b64(`* STATUS "`+tt.first+"\" (MESSAGES 1)\r\n"), "S: a3 OK"))
			for range 2 { // the names last
				list, err := c.Mailboxes(t.Context(), "")
				if err != nil || len(list) != 3 || list[0].Name != tt.firstName || list[1].Name != tt.secondName || list[2].Name != tt.firstName {
					t.Fatalf("%+v, %v", list, err)
				}
			}
			for _, name := range []string{tt.firstName, tt.secondName} {
				_, err := c.Select(t.Context(), name)
				wants(t, "Select", err, nil)
			}
			s, err := c.Status(t.Context(), tt.firstName, imapclient.StatusMessages)
			if err != nil || s.Messages != 1 {
				t.Errorf("Status = %+v, %v", s, err)
			}
		})
	}
}

// In IMAP4rev2 names are UTF-8.
func TestRev2Names(t *testing.T) {
	for name, script := range map[string]string{
		"enabled":      lines("S: * PREAUTH [CAPABILITY IMAP4rev1 IMAP4rev2] hi", "C: a1 ENABLE IMAP4rev2", "S: * ENABLED IMAP4rev2", "S: a1 OK"),
		"nothing else": lines("S: * PREAUTH [CAPABILITY IMAP4rev2] hi"),
	} {
		t.Run(name, func(t *testing.T) {
			c := play(t, script+lines(`C: a2 LIST "" "*"`, `S: * LIST () "/" "R&-D"`, "S: a2 OK", `C: a3 SELECT "日本&語"`, "S: a3 OK"), nil)
			if name == "enabled" {
				_, err := c.Enable(t.Context(), "IMAP4rev2")
				wants(t, "Enable", err, nil)
			}
			list, err := c.Mailboxes(t.Context(), "")
			if err != nil || len(list) != 1 || list[0].Name != "R&-D" {
				t.Errorf("%+v, %v", list, err)
			}
			_, err = c.Select(t.Context(), "日本&語")
			wants(t, "Select", err, nil)
		})
	}
}
