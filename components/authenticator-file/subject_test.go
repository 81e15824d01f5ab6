package users

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
)

func TestSubjectsAreOneHoweverWritten(t *testing.T) {
	for _, c := range [][2]string{
		{"CN=dev1,O=acme", "cn = dev1 , o=acme "},
		{"CN=dev1,O=acme", "CN=dev1;O=acme"},
		{`CN=a\,b`, `CN=a\2cb`},
		{`CN=\ a\ `, `CN=\20a\20`},
		{"CN=ä", `CN=\c3\A4`},
		{`CN=\#1`, `CN=#1`},
	} {
		one, err := parseSubject(c[0])
		two, otherErr := parseSubject(c[1])
		if err != nil || otherErr != nil || one != two {
			t.Errorf("%q and %q: %+v, %+v, %v, %v", c[0], c[1], one, two, err, otherErr)
		}
	}
	for _, c := range [][2]string{
		{"CN=a,O=b", "O=b,CN=a"}, {"CN=a,O=b", "CN=a+O=b"}, {`CN=a\,O=b`, "CN=a,O=b"},
		{"CN=a", "CN=A"}, {`CN=a\ `, "CN=a"},
	} {
		one, _ := parseSubject(c[0])
		two, _ := parseSubject(c[1])
		if one.text == two.text {
			t.Errorf("%q and %q are one: %s", c[0], c[1], one.text)
		}
	}
	for _, bad := range []string{
		"", "dev1", "=x", "CN=a,", "CN=a,b", `CN=a\`, `CN=a\x`, `CN="a"`, "a,CN=b", "CN=a\x00",
	} {
		if s, err := parseSubject(bad); err == nil {
			t.Errorf("%q passes as %+v", bad, s)
		}
	}
}

// TestSubjectsOfGo: what crypto/x509 prints is read back, whatever the name.
func TestSubjectsOfGo(t *testing.T) {
	for _, cn := range []string{
		"dev1", "a,b+c;d", ` lead and trail `, `quo"te\`, "#hash", "<>=", "ä/€", "a  b",
	} {
		n := pkix.Name{CommonName: cn, Organization: []string{"Acme, Inc.", "x"}, ExtraNames: nil}
		n.Names = []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@b"},
		}
		s, err := parseSubject(n.String())
		if err != nil || s.cn != cn {
			t.Errorf("%s: %+v, %v", n, s, err)
		}
	}
}

func FuzzParseSubject(f *testing.F) {
	for _, s := range []string{`CN=dev1,O=acme`, `cn = a\,b+O=\#1;C=\c3\A4`, `1.2.3=#0c01`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSubject(text)
		if err != nil {
			return
		}
		again, err := parseSubject(s.text)
		if err != nil || again != s {
			t.Fatalf("%q: %+v, then %+v, %v", text, s, again, err)
		}
		if strings.ContainsRune(s.cn, 0) && usable(s.cn) {
			t.Fatalf("%q is usable", s.cn)
		}
	})
}
