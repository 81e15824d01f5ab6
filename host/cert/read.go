package cert

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/file"
)

// readPair reads a certificate with its key.
func readPair(p Pair) (tls.Certificate, error) {
	chain, err := readChain(p.Certificate, "certificate")
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readKey(p.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	var text bytes.Buffer
	for _, c := range chain {
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // to memory
	}
	out, err := tls.X509KeyPair(text.Bytes(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cert: key %s does not belong to certificate %s "+
			"(whose file must begin with the server's own): %w", p.Key, p.Certificate, err)
	}
	out.Leaf = chain[0]
	return out, nil
}

// readChain reads the certificates of a file, at least one.
func readChain(path, what string) ([]*x509.Certificate, error) {
	text, err := readFile(path, what)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	var others []string
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			others = append(others, b.Type)
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("cert: %s %s, number %d in it: %w",
				what, path, len(chain)+1, err)
		}
		chain = append(chain, c)
	}
	switch {
	case begun(text) > len(chain)+len(others):
		return nil, damaged(what, path)
	case len(chain) > 0:
		return chain, nil
	case len(others) > 0:
		return nil, fmt.Errorf("cert: %s %s has no certificate but: %s: "+
			"are the files of certificate and key swapped?",
			what, path, strings.Join(others, ", "))
	}
	return nil, fmt.Errorf("cert: %s %s is not PEM: convert it with "+
		"openssl x509 -inform der -in FILE -out FILE.pem", what, path)
}

// readKey reads the PEM of a private key that needs no passphrase.
func readKey(path string) ([]byte, error) {
	text, err := readFile(path, "key")
	if err != nil {
		return nil, err
	}
	certificates := false
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		switch {
		case strings.Contains(b.Type, "ENCRYPTED") || b.Headers["DEK-Info"] != "":
			return nil, fmt.Errorf("cert: key %s is encrypted, and nobody is here to type its "+
				"passphrase: decrypt it with openssl pkey -in FILE -out FILE.key", path)
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			return text, nil
		case b.Type == "CERTIFICATE":
			certificates = true
		}
	}
	if begun(text) > 0 && !certificates {
		return nil, damaged("key", path)
	}
	if certificates {
		return nil, fmt.Errorf("cert: key %s has a certificate but no key: "+
			"are the files of certificate and key swapped?", path)
	}
	return nil, fmt.Errorf("cert: key %s is not PEM: convert it with "+
		"openssl pkey -inform der -in FILE -out FILE.key", path)
}

func readFile(path, what string) ([]byte, error) {
	text, err := file.Read(path, fileBytesMax)
	if err != nil {
		return nil, fmt.Errorf("cert: read %s: %w", what, err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("cert: %s %s is empty", what, path)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("cert: %s %s is UTF-16: save it as UTF-8", what, path)
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), nil // what some editors begin with
}

// begun is how many PEM blocks begin in text, be they whole or not.
func begun(text []byte) int {
	const begin = "-----BEGIN "
	n := bytes.Count(text, []byte("\n"+begin))
	if bytes.HasPrefix(text, []byte(begin)) {
		n++
	}
	return n
}

func damaged(what, path string) error {
	return fmt.Errorf("cert: %s %s is cut off or damaged: it begins a PEM block that does not end "+
		"as it should: copy the file again", what, path)
}

// read makes of the files what crypto/tls takes. All that is wrong is told at once.
func (c *Config) read() (*content, error) {
	n := &content{tls: &tls.Config{
		ClientAuth: c.ClientAuth.std(),
		NextProtos: c.Protocols,
	}}
	var errs []error
	var err error
	if n.tls.MinVersion, err = version(c.MinVersion); err != nil {
		return nil, err
	}
	for _, p := range c.Certificates {
		pair, err := readPair(p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n.tls.Certificates = append(n.tls.Certificates, pair)
		n.files = append(n.files, File{Name: p.Certificate, Certificate: pair.Leaf})
		n.warnings = append(n.warnings, doubts(p.Certificate, pair)...)
	}
	if c.ClientAuth != Off {
		chain, err := readChain(c.ClientCA, "client_ca")
		errs = append(errs, err)
		n.tls.ClientCAs = x509.NewCertPool()
		for _, a := range chain {
			n.tls.ClientCAs.AddCert(a)
			n.files = append(n.files, File{Name: c.ClientCA, Certificate: a})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return n, nil
}
