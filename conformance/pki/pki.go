// Package pki knows how tests make certificates: an authority, and what it signs. Keys are ECDSA
// P-256, which is quick to make.
//
// It does not know who uses them, and is for tests and demonstrations only.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority that nobody signed.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pki: authority: %w", err)
	}
	t := template(name, time.Now().Add(24*time.Hour))
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("pki: authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: authority: %w", err)
	}
	return &Authority{cert, key}, nil
}

// Leaf is what a certificate says.
type Leaf struct {
	// Name is the common name.
	Name string
	// Hosts are names or addresses.
	Hosts []string
	// NotAfter is when it expires, zero for in a day.
	NotAfter time.Time
}

// Issue signs a certificate for servers and clients.
func (a *Authority) Issue(l Leaf) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("pki: issue %s: %w", l.Name, err)
	}
	if l.NotAfter.IsZero() {
		l.NotAfter = time.Now().Add(24 * time.Hour)
	}
	t := template(l.Name, l.NotAfter)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range l.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("pki: issue %s: %w", l.Name, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("pki: issue %s: %w", l.Name, err)
	}
	return Pair{
		Certificate: block("CERTIFICATE", der),
		Key:         block("PRIVATE KEY", pkcs8),
	}, nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return block("CERTIFICATE", a.cert.Raw) }

// Pool is the authority as those trust it who trust no other.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Pair is a certificate and its key, as PEM.
type Pair struct{ Certificate, Key []byte }

// TLS is the pair as crypto/tls takes it.
func (p Pair) TLS() (tls.Certificate, error) { return tls.X509KeyPair(p.Certificate, p.Key) }

// Save writes the pair as NAME.pem and NAME.key in a folder and answers their paths.
func (p Pair) Save(folder, name string) (certificate, key string, err error) {
	certificate = filepath.Join(folder, name+".pem")
	key = filepath.Join(folder, name+".key")
	if err := os.WriteFile(certificate, p.Certificate, 0o600); err != nil {
		return "", "", fmt.Errorf("pki: save: %w", err)
	}
	if err := os.WriteFile(key, p.Key, 0o600); err != nil {
		return "", "", fmt.Errorf("pki: save: %w", err)
	}
	return certificate, key, nil
}

func template(name string, notAfter time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	start := time.Now().Add(-time.Hour)
	if notAfter.Before(start) {
		start = notAfter.Add(-time.Hour)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore:    start,
		NotAfter:     notAfter,
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
