package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
)

func TestDoubtsOfChain(t *testing.T) {
	d := newDesk(t)
	leaf, other := d.issue(pki.Leaf{Name: "a"}), d.issue(pki.Leaf{Name: "b"})
	d.write("a.key", leaf.Key)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"alone": {leaf.Certificate, ""},
		"whole": {slices.Concat(leaf.Certificate, d.ca.PEM()), ""},
		"wrong": {slices.Concat(leaf.Certificate, other.Certificate), "not signed by the next"},
	} {
		p := Pair{d.write("a.pem", c.file), d.folder + "/a.key"}
		pair, err := readPair(p)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(doubts(p.Certificate, pair), "")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
		all := strings.Join(d.open(d.config(p)).Warnings(time.Now()), "\n")
		if !strings.Contains(all, c.want) {
			t.Errorf("%s: warnings: %q", name, all)
		}
	}
}

func TestDoubtsOfUse(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		use  []x509.ExtKeyUsage
		want int
	}{
		{nil, 0},
		{[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, 1},
		{[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, 0},
		{[]x509.ExtKeyUsage{x509.ExtKeyUsageAny}, 0},
	} {
		x := &x509.Certificate{SerialNumber: big.NewInt(1), ExtKeyUsage: c.use}
		der, err := x509.CreateCertificate(rand.Reader, x, x, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		pair := tls.Certificate{Certificate: [][]byte{der}, Leaf: leaf}
		if got := doubts("a.pem", pair); len(got) != c.want {
			t.Errorf("%v: %q", c.use, got)
		}
	}
}

func TestEditorsMarks(t *testing.T) {
	d := newDesk(t)
	p := d.pair("a", "a.example")
	for _, file := range []string{p.Certificate, p.Key} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := file[len(d.folder)+1:]
		d.write(name, slices.Concat([]byte("\xef\xbb\xbf"), text))
		d.open(d.config(p))
		d.write(name, slices.Concat([]byte("\xff\xfe"), text))
		for want, bad := range map[string][]byte{
			"is UTF-16":  slices.Concat([]byte("\xff\xfe"), text),
			"is cut off": text[:len(text)-30],
		} {
			d.write(name, bad)
			if _, err := Open(d.config(p)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q, got %v", name, want, err)
			}
		}
		d.write(name, text)
	}
	text, _ := os.ReadFile(p.Certificate)
	d.write("a.pem", slices.Concat(text, bytes.TrimSpace(text)[:100]))
	if _, err := Open(d.config(p)); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("the second of two is cut off: %v", err)
	}
}
