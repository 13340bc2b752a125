package sasl

import (
	"crypto"
	_ "crypto/sha256" // the hashes of certificates
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
)

// binding is what ties an exchange to the TLS connection that it runs in, so
// that no one in the middle, with whatever certificate, can pass it on.
type binding struct {
	name string
	data []byte
}

// bindingOf returns the channel binding that is right for the connection, or
// nil. TLS 1.3 has tls-exporter and nothing else by default (RFC 9266 section
// 3); TLS 1.2 has tls-unique, if the handshake allows it, or else
// tls-server-end-point (RFC 5929 sections 3 and 4).
func bindingOf(st *tls.ConnectionState) *binding {
	if st == nil {
		return nil
	}
	if st.Version >= tls.VersionTLS13 {
		data, err := st.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		if err != nil {
			return nil
		}
		return &binding{"tls-exporter", data}
	}
	if len(st.TLSUnique) > 0 {
		return &binding{"tls-unique", st.TLSUnique}
	}
	if len(st.PeerCertificates) > 0 {
		if data := endPoint(st.PeerCertificates[0]); data != nil {
			return &binding{"tls-server-end-point", data}
		}
	}
	return nil
}

// endPoint is the hash of the server's certificate by the hash function of
// its signature, or SHA-256 in place of a weaker one. RFC 5929 section 4.1
// leaves it undefined for signatures that do not have just one.
func endPoint(cert *x509.Certificate) []byte {
	var h crypto.Hash
	switch cert.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS, x509.DSAWithSHA256:
		h = crypto.SHA256
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		h = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		h = crypto.SHA512
	default:
		return nil
	}
	d := h.New()
	d.Write(cert.Raw)
	return d.Sum(nil)
}
