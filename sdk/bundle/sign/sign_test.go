package sign

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// digest is that of no bundle: 64 times the digit.
func digest(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// router is what most tests sign.
func router() Statement {
	return Statement{Name: "acme-router", Version: "1.2.3", Manifest: digest("a")}
}

func generate(t testing.TB) Private {
	t.Helper()
	k, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, k Private, s Statement) []byte {
	t.Helper()
	e, err := Sign(k, s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// edit changes the JSON of an envelope.
func edit(t *testing.T, envelope []byte, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(envelope, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSignedIsVerified(t *testing.T) {
	k := generate(t)
	one := signed(t, k, router())
	if again := signed(t, k, router()); !bytes.Equal(one, again) {
		t.Errorf("signed twice, two envelopes:\n%s\n%s", one, again)
	}
	p := Policy{Keys: []Trusted{
		{Name: "other", Key: generate(t).Public(), Names: []string{"*"}},
		{Name: "acme", Key: k.Public(), Names: []string{"acme-*"}},
	}}
	want := Verdict{Key: "acme", KeyID: k.Public().ID()}
	// Whatever else lies beside it: one that holds is enough.
	for _, all := range [][][]byte{{one}, {[]byte("x"), signed(t, generate(t), router()), one}} {
		if got, err := p.Verify(router(), all); err != nil || got != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	// Two keys in one envelope: the second is ours.
	two := edit(t, signed(t, generate(t), router()), func(m map[string]any) {
		var ours map[string]any
		if err := json.Unmarshal(one, &ours); err != nil {
			t.Fatal(err)
		}
		m["signatures"] = append(m["signatures"].([]any), ours["signatures"].([]any)...)
	})
	if got, err := p.Verify(router(), [][]byte{two}); err != nil || got != want {
		t.Errorf("two signatures: %v, %v", got, err)
	}
	// The id of a key helps to find it; without one it is found as well.
	bare := edit(t, one, func(m map[string]any) {
		delete(m["signatures"].([]any)[0].(map[string]any), "keyid")
	})
	if got, err := p.Verify(router(), [][]byte{bare}); err != nil || got != want {
		t.Errorf("without an id: %v, %v", got, err)
	}
}

// Every way to be refused has a reason of its own, and says what to do.
func TestRefusals(t *testing.T) {
	acme, stranger := generate(t), generate(t)
	p := &Policy{Unsigned: []string{"local-*"}, Keys: []Trusted{
		{Name: "acme", Key: acme.Public(), Names: []string{"acme-*", "tools"}},
	}}
	altered := edit(t, signed(t, acme, router()), func(m map[string]any) {
		m["payload"] = base64.StdEncoding.EncodeToString([]byte(`{"name":"acme-router",` +
			`"version":"9.0.0","manifest":"` + digest("a") + `"}`))
	})
	vendor := Statement{Name: "vendor", Version: "1.0.0", Manifest: digest("a")}
	local := Statement{Name: "local-test", Version: "1.0.0", Manifest: digest("a")}
	other, grown := router(), router()
	other.Name, grown.Manifest = "acme-codec", digest("b")
	for name, c := range map[string]struct {
		policy    *Policy
		bundle    Statement
		envelopes [][]byte
		reason    Reason
		said, do  string
	}{
		"no key":      {&Policy{}, router(), nil, Unsigned, "no key is trusted", "trust.keys"},
		"no key, one": {&Policy{}, router(), [][]byte{altered}, Unsigned, "no key", "trust.keys"},
		"unsigned":    {p, router(), nil, Unsigned, "it is not signed", "hpmq-cli bundle sign"},
		"wrong key": {p, router(), [][]byte{signed(t, stranger, router())}, UnknownKey,
			"signed by key \"" + stranger.Public().ID() + "\", which is not trusted", "key show"},
		"many": {p, router(), make([][]byte, EnvelopesMax+1), TooMany, "65 sign", "drop"},
		"no envelope": {p, router(), [][]byte{[]byte("{}")}, Malformed, "as a signature is none",
			"get the bundle again"},
		"altered": {p, router(), [][]byte{altered}, Altered, "says it is by key acme and is not",
			"do not use it"},
		"another": {p, router(), [][]byte{signed(t, acme, other)}, Another,
			"is of another bundle: acme-codec 1.2.3, manifest " + other.Manifest, "of this bundle"},
		"changed": {p, grown, [][]byte{signed(t, acme, router())}, Changed,
			"signed other content under this name and version: manifest " + router().Manifest +
				", here it is " + grown.Manifest, "do not use it"},
		"wrong name": {p, vendor, [][]byte{signed(t, acme, vendor)}, WrongName,
			"key acme signed it and may ship acme-*, tools alone", "if it may ship vendor"},
		"nearest": {p, vendor, [][]byte{[]byte("x"), signed(t, acme, vendor), altered}, WrongName,
			"may ship", "trust.keys"},
		"altered local":   {p, local, [][]byte{altered}, Altered, "is not", "do not use it"},
		"malformed local": {p, local, [][]byte{[]byte("x")}, Malformed, "is none", "again"},
	} {
		verdict, err := c.policy.Verify(c.bundle, c.envelopes)
		var r *Refusal
		if !errors.As(err, &r) || verdict != (Verdict{}) {
			t.Errorf("%s: %v, %v", name, verdict, err)
			continue
		}
		if r.Reason != c.reason || !strings.Contains(r.Said, c.said) ||
			!strings.Contains(r.Do, c.do) || r.Bundle != c.bundle {
			t.Errorf("%s: %d %v", name, r.Reason, r)
		}
	}
}

// The first signatures are looked at, however many there are.
func TestAGoodOneBeforeTooMany(t *testing.T) {
	k := generate(t)
	p := Policy{}
	if err := p.Add("acme", []byte(k.Public().Text()), []string{"*"}); err != nil {
		t.Fatal(err)
	}
	all := append([][]byte{[]byte("x"), signed(t, k, router())}, make([][]byte, EnvelopesMax)...)
	if got, err := p.Verify(router(), all); err != nil || got.Key != "acme" {
		t.Errorf("%v, %v", got, err)
	}
}

// Where no signature is asked for, that of a stranger is as good as none.
func TestUnsigned(t *testing.T) {
	p := Policy{Unsigned: []string{"local-*"}}
	b := Statement{Name: "local-test", Version: "1.0.0", Manifest: digest("a")}
	for _, all := range [][][]byte{nil, {signed(t, generate(t), b)}} {
		if got, err := p.Verify(b, all); err != nil || got != (Verdict{Unsigned: true}) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := p.Verify(Statement{}, nil); err == nil {
		t.Error("a bundle without a name is trusted")
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"acme", "acme", true}, {"acme", "acme-1", false}, {"*", "", true}, {"*", "acme", true},
		{"acme-*", "acme-", true}, {"acme-*", "acme", false}, {"acme-*", "xacme-1", false},
		{"*-router", "acme-router", true}, {"*-router", "acme-routers", false},
		{"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"a*a", "a", false},
		{"a*ab*b", "aab", false}, {"a.c", "abc", false}, {"", "", true}, {"", "a", false},
	} {
		if got := Matches([]string{"nobody", c.pattern}, c.name); got != c.want {
			t.Errorf("%q of %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestKeysAreFiles(t *testing.T) {
	k := generate(t)
	private, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePrivate(private)
	if err != nil || !bytes.Equal(again.key, k.key) {
		t.Errorf("private: %v, %v", again, err)
	}
	id := k.Public().ID()
	for _, text := range []string{string(k.Public().PEM()), k.Public().Text() + "\n"} {
		if got, err := ParsePublic([]byte(text)); err != nil || got.ID() != id {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v", k, k, k)} {
		if strings.Contains(text, fmt.Sprint(byte(k.key[0]))+" ") || !strings.Contains(text, id) {
			t.Errorf("it prints itself: %s", text)
		}
	}
}

func TestKeysAreRefused(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(other.Public())
	if err != nil {
		t.Fatal(err)
	}
	k := generate(t)
	ours, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	twice := append(k.Public().PEM(), k.Public().PEM()...)
	long := bytes.Repeat([]byte("A"), KeyBytesMax+1)
	for _, c := range []struct {
		read func([]byte) error
		text []byte
		want string
	}{
		{readPublic, []byte("me"), "neither PEM nor the base64"},
		{readPublic, ours, "it holds a PRIVATE KEY, not a PUBLIC KEY"},
		{readPublic, twice, "more than one key"},
		{readPublic, block(publicType, public), "not for ed25519"},
		{readPublic, block(publicType, []byte("x")), "asn1"},
		{readPublic, []byte("-----BEGIN PUBLIC KEY-----"), "no PEM in it"},
		{readPublic, long, "at most"},
		{readPublic, []byte(base64.StdEncoding.EncodeToString(public)), "not for ed25519"},
		{readPrivate, k.Public().PEM(), "it holds a PUBLIC KEY, not a PRIVATE KEY"},
		{readPrivate, block(privateType, private), "not for ed25519"},
		{readPrivate, block(privateType, []byte("x")), "asn1"},
		{readPrivate, nil, "no PEM in it"},
		{readPrivate, long, "at most"},
	} {
		if err := c.read(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := Sign(Private{}, router()); err == nil {
		t.Error("no key signs")
	}
	if (Public{}).Verify(t.Context(), nil, nil) == nil {
		t.Error("no key verifies")
	}
}

func readPublic(text []byte) error { _, err := ParsePublic(text); return err }

func readPrivate(text []byte) error { _, err := ParsePrivate(text); return err }

// standardKey is that of the example of RFC 8410, section 10, as openssl writes it too.
const standardKey = "-----BEGIN PRIVATE KEY-----\n" +
	"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" +
	"-----END PRIVATE KEY-----\n"

func standard(t testing.TB) Private {
	t.Helper()
	k, err := ParsePrivate([]byte(standardKey))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyOfTheStandard(t *testing.T) {
	const public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
	k := standard(t)
	if got := k.Public().Text(); got != public {
		t.Errorf("got %s, want %s", got, public)
	}
	if got, err := k.PEM(); err != nil || string(got) != standardKey {
		t.Errorf("%s, %v", got, err)
	}
}

// What is signed is what the DSSE protocol says, so that other programs can verify it.
func TestWhatIsSigned(t *testing.T) {
	k := generate(t)
	var e struct {
		Payload    []byte
		Signatures []struct{ Sig []byte }
	}
	if err := json.Unmarshal(signed(t, k, router()), &e); err != nil {
		t.Fatal(err)
	}
	payload := `{"name":"acme-router","version":"1.2.3","manifest":"` + digest("a") + `"}`
	if string(e.Payload) != payload {
		t.Errorf("the payload is %s, want %s", e.Payload, payload)
	}
	text := fmt.Sprintf("DSSEv1 35 %s %d %s", PayloadType, len(payload), payload)
	if err := k.Public().Verify(t.Context(), []byte(text), e.Signatures[0].Sig); err != nil {
		t.Error(err)
	}
}

func TestEnvelopesAreRefused(t *testing.T) {
	whole := signed(t, generate(t), router())
	claim := func(text string) func(map[string]any) {
		return func(m map[string]any) {
			m["payload"] = base64.StdEncoding.EncodeToString([]byte(text))
		}
	}
	good := fmt.Sprintf(`{"name":"n","version":"1","manifest":"%s"}`, digest("a"))
	for _, c := range []struct {
		text []byte
		want string
	}{
		{nil, "no DSSE envelope: EOF"},
		{whole[:len(whole)-1], "no DSSE envelope: unexpected EOF"},
		{append(whole[:len(whole):len(whole)], '{'), "something follows"},
		{bytes.Repeat([]byte(" "), EnvelopeBytesMax+1), "at most 16384 bytes"},
		{edit(t, whole, func(m map[string]any) { m["payloadType"] = "text/plain" }),
			`its payload is "text/plain", not ` + PayloadType},
		{edit(t, whole, func(m map[string]any) { m["signatures"] = []any{} }), "0 signatures"},
		{edit(t, whole, func(m map[string]any) {
			m["signatures"] = make([]map[string]any, SignaturesMax+1)
		}), "17 signatures; 1 to 16"},
		{edit(t, whole, func(m map[string]any) {
			m["signatures"] = []any{map[string]any{"keyid": strings.Repeat("k", 300)}}
		}), "the id of a key has at most"},
		{edit(t, whole, func(m map[string]any) { m["payload"] = "%" }), "base64"},
		{edit(t, whole, claim("")), "its payload: EOF"},
		{edit(t, whole, claim(good+"1")), "its payload: something follows"},
		{edit(t, whole, claim(good[:len(good)-1]+`,"and":1}`)), `unknown field "and"`},
		{edit(t, whole, claim(strings.Replace(good, `"n"`, `""`, 1))), "the name of a bundle"},
		{edit(t, whole, claim(strings.Replace(good, `"1"`, `""`, 1))), "the version of a bundle"},
		{edit(t, whole, claim(strings.Replace(good, "sha256", "sha1", 1))), "digest of a manifest"},
		{edit(t, whole, claim(strings.Replace(good, "aa", "AA", 1))), "digest of a manifest"},
	} {
		if _, err := Decode(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// Whatever is decoded can be signed by whoever means it, and stays what it is.
func FuzzDecode(f *testing.F) {
	k := standard(f)
	whole := signed(f, k, router())
	f.Add(whole)
	f.Add(bytes.Replace(whole, []byte(`"keyid"`), []byte(`"KEYID"`), 1))
	f.Add([]byte(`{"payloadType":"` + PayloadType + `","payload":"","signatures":[{}]}`))
	p := Policy{Keys: []Trusted{{Name: "k", Key: generate(f).Public(), Names: []string{"*"}}}}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := Decode(text)
		if err != nil {
			return
		}
		if _, err := p.Verify(e.Claim, [][]byte{text}); err == nil {
			t.Error("it holds, by a key that signed nothing")
		}
		again, err := Decode(signed(t, k, e.Claim))
		if err != nil || again.Claim != e.Claim {
			t.Errorf("%+v becomes %+v, %v", e.Claim, again, err)
		}
	})
}
