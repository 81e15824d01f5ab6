// Package cert knows certificate files: it reads them, says what is wrong with them, makes of them
// what crypto/tls wants, and reads them again when they change. A new file that is broken changes
// nothing: what was read before goes on.
//
// It does not know who listens, and it logs nothing: it tells. Connections that are there when
// certificates change are not touched; the next handshake gets the new ones.
package cert

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// Pair is a certificate with its key, both files in PEM. Intermediate certificates follow the
// certificate in its file.
type Pair struct{ Certificate, Key string }

// ClientAuth is whether clients show certificates.
type ClientAuth string

// What clients do.
const (
	Off      ClientAuth = "off"      // they are not asked
	Optional ClientAuth = "optional" // they may; what they show must be signed by ClientCA
	Required ClientAuth = "required" // they must
)

// Config is the files of one listener, and what they are used for.
type Config struct {
	// Certificates are the server's. The first for which the name that the client asks for (SNI)
	// fits is used, wildcards included; if none does, the first.
	Certificates []Pair
	// ClientCA is a PEM file with the authorities of client certificates.
	ClientCA   string
	ClientAuth ClientAuth
	// MinVersion is 1.2 or 1.3.
	MinVersion string
	// Protocols are what ALPN offers. A client that asks for others only is refused; one that does
	// not ask is let in.
	Protocols []string
	// Poll is how often Run looks whether a file changed, 0 for never.
	Poll time.Duration
}

// Default asks clients for nothing.
func Default() Config {
	return Config{
		ClientAuth: Off,
		MinVersion: "1.2", // many devices have no 1.3; older versions are broken
		Poll:       10 * time.Second,
	}
}

// Limits on what is read.
const (
	certificatesMax = 256     // in Config
	fileBytesMax    = 1 << 20 // of one file: some hundred authorities
)

// Validate says what is wrong with c. It reads no file.
func (c *Config) Validate() error {
	if len(c.Certificates) == 0 {
		return errors.New("cert: no certificate: name the files of at least one")
	}
	if len(c.Certificates) > certificatesMax {
		return fmt.Errorf("cert: %d certificates, at most %d", len(c.Certificates), certificatesMax)
	}
	for i, p := range c.Certificates {
		if p.Certificate == "" || p.Key == "" {
			return fmt.Errorf("cert: certificate %d: name both its file and that of its key", i+1)
		}
	}
	if c.Poll < 0 {
		return errors.New("cert: poll: not below 0")
	}
	if _, err := version(c.MinVersion); err != nil {
		return err
	}
	switch c.ClientAuth {
	case Off:
	case Optional, Required:
		if c.ClientCA == "" {
			return fmt.Errorf("cert: client_auth %s: name a client_ca to judge by", c.ClientAuth)
		}
	default:
		return fmt.Errorf("cert: client_auth %q: off, optional or required", c.ClientAuth)
	}
	return nil
}

func version(s string) (uint16, error) {
	switch s {
	case "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("cert: min_version %q: 1.2 or 1.3", s)
}

func (a ClientAuth) std() tls.ClientAuthType {
	switch a {
	case Optional:
		return tls.VerifyClientCertIfGiven
	case Required:
		return tls.RequireAndVerifyClientCert
	}
	return tls.NoClientCert
}
