package passhash

import (
	"strings"
	"testing"
)

// known was made by another implementation: Python's hashlib.pbkdf2_hmac.
const known = "$pbkdf2-sha256$i=1000,l=32$c2FsdC1vZi1qb2UtMDAwMA$"

func TestMakeAndMatch(t *testing.T) {
	text, err := Make([]byte("secret"), IterationsMin)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Parse(text)
	if err != nil || h.String() != text {
		t.Fatalf("%s became %s, %v", text, h, err)
	}
	if !h.Matches([]byte("secret")) || h.Matches([]byte("Secret")) || h.Matches(nil) {
		t.Error("the wrong passwords match")
	}
	other, _ := Make([]byte("secret"), IterationsMin)
	if other == text {
		t.Error("two hashes have one salt")
	}
}

func TestParseRefuses(t *testing.T) {
	key := strings.Repeat("A", 43)
	if _, err := Parse(known + key); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "secret", "$", known, known + "AAAA", known + key + "$", "x" + known + key,
		"$pbkdf2-sha1$i=1000,l=32$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$i=999,l=32$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$i=2000001,l=32$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$i=1000,l=31$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$l=32,i=1000$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$i=1000$c2FsdC1vZi1qb2UtMDAwMA$" + key,
		"$pbkdf2-sha256$i=1000,l=32$c2Fs$" + key, "$pbkdf2-sha256$i=1000,l=32$!!!!!!!!!!!!$" + key,
	} {
		if h, err := Parse(text); err == nil {
			t.Errorf("%q: taken as %v", text, h)
		}
	}
	if _, err := Make(nil, IterationsMax+1); err == nil {
		t.Error("Make takes too many iterations")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(known + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q does not come back: %v", text, err)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	text, err := Make([]byte("secret"), Iterations)
	if err != nil {
		b.Fatal(err)
	}
	h, err := Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len("secret")))
	for b.Loop() {
		h.Matches([]byte("secret"))
	}
}
