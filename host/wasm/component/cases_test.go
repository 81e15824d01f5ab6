package component

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// testCase is a component of testdata/cases.wat. want is what the refusal says, "" for a valid one.
type testCase struct {
	name, want string
	code       []byte
}

// cases reads testdata/cases.txt, which must have been made of the cases.wat that is there.
func cases(tb testing.TB) []testCase {
	tb.Helper()
	text, err := os.ReadFile("testdata/cases.wat")
	if err != nil {
		tb.Fatal(err)
	}
	made, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		tb.Fatal(err)
	}
	starts := regexp.MustCompile(`(?m)^;; (valid|invalid): `).FindAllIndex(text, -1)
	lines := strings.Split(strings.TrimSpace(string(made)), "\n")
	if len(lines) != len(starts) {
		tb.Fatalf("%d cases made of %d: run testdata/make.sh", len(lines), len(starts))
	}
	var list []testCase
	for i, line := range lines {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		list = append(list, parseCase(tb, line, string(text[starts[i][0]:end])))
	}
	return list
}

func parseCase(tb testing.TB, line, source string) testCase {
	tb.Helper()
	cells := strings.Split(line, "\t")
	sum := sha256.Sum256([]byte(strings.TrimRight(source, "\n")))
	if len(cells) != 3 || cells[0] != hex.EncodeToString(sum[:8]) {
		tb.Fatalf("%.60q is not made of %.60q: run testdata/make.sh", line, source)
	}
	code, err := base64.StdEncoding.DecodeString(cells[2])
	if err != nil {
		tb.Fatal(err)
	}
	c := testCase{name: cells[1], code: code}
	if want, ok := strings.CutPrefix(cells[1], "invalid: "); ok {
		c.want = want
	}
	return c
}

func TestCases(t *testing.T) {
	for _, c := range cases(t) {
		_, err := Decode(c.code, DefaultLimits())
		switch {
		case err == nil && c.want != "":
			t.Errorf("accepted; want %q", c.want)
		case err != nil && c.want == "":
			t.Errorf("%s: %v", c.name, err)
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}
