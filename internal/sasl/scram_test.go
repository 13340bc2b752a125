package sasl_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/internal/sasl"
	"example.com/postbag/internal/transport"
)

func scram(t *testing.T, name, offered string, st *tls.ConnectionState) sasl.Mechanism {
	t.Helper()
	nonce := map[string]string{"SCRAM-SHA-1": "fyko+d2lbbFgONRv9qkxdawL", "SCRAM-SHA-256": "rOprNGfwEbeRWgbNEkqO"}[strings.TrimSuffix(name, "-PLUS")]
	return choose(t, offered, &sasl.Credentials{
		User: "user", Password: "pencil", Mechanisms: []string{name}, TLS: st, Nonce: func() string { return nonce },
	})[0]
}

// The examples of RFC 5802 section 5 and RFC 7677 section 3.
func TestSCRAM(t *testing.T) {
	m := scram(t, "SCRAM-SHA-1", "", nil)
	exchange(t, m,
		"C n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		"S r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		"C c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"S v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		"C ")
	if err := m.Done(); err != nil {
		t.Error(err)
	}
	m = scram(t, "SCRAM-SHA-256", "", nil)
	exchange(t, m,
		"C n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"S r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"C c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"S v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		"C ")
	if err := m.Done(); err != nil {
		t.Error(err)
	}
}

// F105: what a server says that does not know the password, or wants harm.
func TestSCRAMDistrust(t *testing.T) {
	const nonce = "r=rOprNGfwEbeRWgbNEkqO"
	for _, tt := range []struct{ name, first, last string }{
		{"wrong signature", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
		{"empty signature", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "v="},
		{"no signature", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ""},
		{"nonce not ours", "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ""},
		{"nonce ours alone", nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ""},
		{"no salt", nonce + "x,s=,i=4096", ""},
		{"salt not base64", nonce + "x,s=***,i=4096", ""},
		{"few iterations", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", ""},
		{"2^32 iterations", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967296", ""},
		{"no number of iterations", nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=many", ""},
		{"unknown mandatory extension", "m=x," + nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := scram(t, "SCRAM-SHA-256", "", nil)
			m.Start()
			_, err := m.Next([]byte(tt.first))
			if strings.Contains(tt.name, "signature") {
				if err != nil {
					t.Fatal(err)
				}
				_, err = m.Next([]byte(tt.last))
			}
			if !errors.Is(err, transport.ErrProtocol) {
				t.Errorf("%v, want ErrProtocol", err)
			}
			if err := m.Done(); err == nil {
				t.Error("and yet success is believed")
			}
		})
	}
}

// The server's success alone does not prove that it knows the password.
func TestSCRAMWithoutSignature(t *testing.T) {
	m := scram(t, "SCRAM-SHA-1", "", nil)
	m.Start()
	if _, err := m.Next([]byte("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")); err != nil {
		t.Fatal(err)
	}
	if err := m.Done(); !errors.Is(err, transport.ErrProtocol) {
		t.Errorf("Done = %v, want ErrProtocol", err)
	}
}

func TestSCRAMRefused(t *testing.T) {
	const first = "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096"
	const first256 = "r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4096"
	tls13 := state(t, tls.VersionTLS13)
	for _, tt := range []struct {
		name       string
		challenges []string
		final      bool
		detail     string
	}{
		{"SCRAM-SHA-1", nil, false, ""},                                                 // perhaps it has no SCRAM verifier
		{"SCRAM-SHA-1", []string{first}, true, ""},                                      // it has one, and the proof does not fit
		{"SCRAM-SHA-1-PLUS", []string{first}, false, ""},                                // the binding may be what it refuses
		{"SCRAM-SHA-256-PLUS", []string{first256}, true, ""},                            // so it may, but there is no SCRAM without
		{"SCRAM-SHA-1-PLUS", []string{first, "e=invalid-proof"}, true, "invalid-proof"}, // it is not
		{"SCRAM-SHA-1-PLUS", []string{"e=unsupported-channel-binding-type"}, false, "unsupported-channel"},
		{"SCRAM-SHA-1", []string{first, "e=other-error"}, true, "other-error"},
	} {
		offered := "SCRAM-SHA-1-PLUS SCRAM-SHA-1"
		if tt.name == "SCRAM-SHA-256-PLUS" {
			offered = "SCRAM-SHA-256-PLUS PLAIN"
		}
		m := scram(t, tt.name, offered, tls13)
		m.Start()
		for _, c := range tt.challenges {
			m.Next([]byte(c))
		}
		final, detail := m.Refused()
		if final != tt.final || (detail == nil) != (tt.detail == "") || detail != nil && !strings.Contains(detail.Error(), tt.detail) {
			t.Errorf("%s refused after %q: %v, %v, want %v, %q", tt.name, tt.challenges, final, detail, tt.final, tt.detail)
		}
	}
}

// The channel binding: by TLS version, in the message, and in the proof.
func TestSCRAMPlus(t *testing.T) {
	for _, tt := range []struct {
		version uint16
		name    string
		data    func(*tls.ConnectionState) []byte
	}{
		{tls.VersionTLS13, "tls-exporter", func(st *tls.ConnectionState) []byte {
			data, err := st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}},
		{tls.VersionTLS12, "tls-unique", func(st *tls.ConnectionState) []byte { return st.TLSUnique }},
		{0, "tls-server-end-point", func(st *tls.ConnectionState) []byte {
			sum := sha256.Sum256(st.PeerCertificates[0].Raw) // ECDSA with SHA-256
			return sum[:]
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := state(t, max(tt.version, tls.VersionTLS12))
			if tt.version == 0 {
				st.TLSUnique = nil // as in a resumed session
			}
			m := scram(t, "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", st)
			gs2 := "p=" + tt.name + ",,"
			bare := "n=user,r=rOprNGfwEbeRWgbNEkqO"
			first, err := m.Start()
			if err != nil || string(first) != gs2+bare {
				t.Fatalf("first message %q, %v, want %q", first, err, gs2+bare)
			}
			server := "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
			got, err := m.Next([]byte(server))
			if err != nil {
				t.Fatal(err)
			}
			// The server's view, from its side of the RFC.
			without := "c=" + base64.StdEncoding.EncodeToString(append([]byte(gs2), tt.data(st)...)) + ",r=rOprNGfwEbeRWgbNEkqOxyz"
			salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
			salted, err := pbkdf2.Key(sha256.New, "pencil", salt, 4096, 32)
			if err != nil {
				t.Fatal(err)
			}
			mac := func(key []byte, s string) []byte {
				h := hmac.New(sha256.New, key)
				h.Write([]byte(s))
				return h.Sum(nil)
			}
			message := bare + "," + server + "," + without
			clientKey := mac(salted, "Client Key")
			stored := sha256.Sum256(clientKey)
			proof := mac(stored[:], message)
			for i := range proof {
				proof[i] ^= clientKey[i]
			}
			if want := without + ",p=" + base64.StdEncoding.EncodeToString(proof); string(got) != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			last := fmt.Sprintf("v=%s", base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), message)))
			if _, err := m.Next([]byte(last)); err != nil {
				t.Fatal(err)
			}
			if err := m.Done(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A client that could bind says so to a server that does not offer it, which
// then sees when someone has taken the offer away. RFC 5802 section 6.
func TestSCRAMDowngrade(t *testing.T) {
	st := state(t, tls.VersionTLS13)
	for _, tt := range []struct {
		offered string
		st      *tls.ConnectionState
		want    string
	}{
		{"SCRAM-SHA-256", st, "y,,"},
		{"SCRAM-SHA-256 SCRAM-SHA-256-PLUS", st, "n,,"},
		{"SCRAM-SHA-256", nil, "n,,"},
	} {
		first, err := scram(t, "SCRAM-SHA-256", tt.offered, tt.st).Start()
		if err != nil || !strings.HasPrefix(string(first), tt.want) {
			t.Errorf("offered %s: %q, %v, want %s", tt.offered, first, err, tt.want)
		}
	}
}

func TestSCRAMNames(t *testing.T) {
	m := choose(t, "", &sasl.Credentials{User: "a=b,c", Identity: "d,e", Password: "x", Mechanisms: []string{"SCRAM-SHA-1"}, Nonce: func() string { return "N" }})[0]
	exchange(t, m, "C n,a=d=2Ce,n=a=3Db=2Cc,r=N")
}
