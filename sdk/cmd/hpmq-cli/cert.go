package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// certFlags say which certificates to make.
type certFlags struct {
	out     string
	names   []string
	clients []string
	days    int
}

func newCert(s *settings) *cobra.Command {
	var f certFlags
	c := &cobra.Command{
		Use:   "cert",
		Short: "Make certificates to try TLS with",
		Long: `Make an authority, a certificate of the server and one for each client, as PEM files
in one folder: ca.pem, ca.key, server.pem, server.key, NAME.pem, NAME.key. An authority that is
there already is used again, so that clients can be added later; no file is written over.

It is for trying things out and for closed networks. Whoever has ca.key can be anybody.`,
		Example: `  hpmq-cli cert --name broker.example --name 10.0.0.7 --client sensor-17
  hpmq-cli listener add secure --bind tls://:8883 \
    --certificate certs/server.pem --key certs/server.key --client-ca certs/ca.pem
  mosquitto_sub -p 8883 -t '#' --cafile certs/ca.pem \
    --cert certs/sensor-17.pem --key certs/sensor-17.key`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return s.cert(&f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.out, "out", "certs", "folder; made if it is not there")
	fs.StringArrayVar(&f.names, "name", []string{"localhost", "127.0.0.1", "::1"},
		"host or address of the server; may be repeated")
	fs.StringArrayVar(&f.clients, "client", nil,
		"name of a client, the CN of its certificate; may be repeated")
	fs.IntVar(&f.days, "days", 825, "until they expire")
	return c
}

func (s *settings) cert(f *certFlags) error {
	if f.days < 1 || f.days > 36500 {
		return usageError{errors.New("--days: 1 to 36500")}
	}
	for _, name := range f.clients {
		if name == "" || strings.ContainsAny(name, "/\\\x00") || name == "ca" || name == "server" {
			return usageError{fmt.Errorf("--client %q cannot be the name of a file here", name)}
		}
	}
	if err := os.MkdirAll(f.out, 0o700); err != nil {
		return usageError{err}
	}
	ca, err := f.authority()
	if err != nil {
		return usageError{err}
	}
	until := time.Now().AddDate(0, 0, f.days)
	server := leaf(f.names[0], until, x509.ExtKeyUsageServerAuth)
	for _, name := range f.names {
		if ip := net.ParseIP(name); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, name)
		}
	}
	if err := s.issue(f, ca, "server", server); err != nil {
		return usageError{err}
	}
	for _, name := range f.clients {
		err := s.issue(f, ca, name, leaf(name, until, x509.ExtKeyUsageClientAuth))
		if err != nil {
			return usageError{err}
		}
	}
	return nil
}

// issue signs and writes a certificate, unless one of that name is there.
func (s *settings) issue(f *certFlags, ca tls.Certificate, file string, t *x509.Certificate) error {
	path := filepath.Join(f.out, file+".pem")
	if _, err := os.Stat(path); err == nil {
		return s.printf("%s is there already", path)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.Leaf, &key.PublicKey, ca.PrivateKey)
	if err != nil {
		return err
	}
	if err := save(filepath.Join(f.out, file), der, key); err != nil {
		return err
	}
	return s.printf("%s: %s", path, t.Subject)
}

// authority answers that of the folder, made if there is none.
func (f *certFlags) authority() (tls.Certificate, error) {
	path := filepath.Join(f.out, "ca")
	ca, err := tls.LoadX509KeyPair(path+".pem", path+".key")
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return ca, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ca, err
	}
	t := leaf("hpmq-cli cert authority", time.Now().AddDate(10, 0, 0))
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return ca, err
	}
	if err := save(path, der, key); err != nil {
		return ca, err
	}
	return tls.LoadX509KeyPair(path+".pem", path+".key")
}

// leaf is what certificates have in common.
func leaf(cn string, until time.Time, use ...x509.ExtKeyUsage) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: cn},
		NotBefore: time.Now().Add(-time.Hour), // clocks differ
		NotAfter:  until, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: use,
	}
}

// save writes path.key, then path.pem. It writes over nothing.
func save(path string, der []byte, key *ecdsa.PrivateKey) error {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := saveBlock(path+".key", "PRIVATE KEY", pkcs8, 0o600); err != nil {
		return err
	}
	return saveBlock(path+".pem", "CERTIFICATE", der, 0o644)
}

func saveBlock(path, kind string, der []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Close())
}
