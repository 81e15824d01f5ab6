package guests

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/conformance/guests/policy"
	"github.com/hpmq/hpmq/host/wasm"
)

// generous is enough for a language that is interpreted by its guest.
const generous = 5_000_000_000

// memoryMax is enough for Python.
const memoryMax = 128 << 20

// languages are the built guests of the policy, by "language/form".
func languages(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("policy/*/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no guests of the policy: %v", err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel("policy", file)
		all[filepath.ToSlash(name)] = code
	}
	return all
}

func goldenCases(t testing.TB) []policy.Case {
	t.Helper()
	cases, err := policy.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// onBoth runs f for each guest on the compiler and on the interpreter.
func onBoth(t *testing.T, f func(t *testing.T, e *wasm.Engine, code []byte)) {
	for _, interpreter := range []bool{false, true} {
		e := policyEngine(t, interpreter)
		for name, code := range languages(t) {
			t.Run(fmt.Sprintf("%s/interpreter=%t", name, interpreter), func(t *testing.T) {
				f(t, e, code)
			})
		}
	}
}

func TestEveryLanguageAnswersTheCases(t *testing.T) {
	cases := goldenCases(t)
	onBoth(t, func(t *testing.T, e *wasm.Engine, code []byte) {
		mod := compile(t, e, code)
		in := openPolicy(t, mod)
		in.configurePolicy("{}")
		for _, c := range cases {
			if c.Call == "configure" {
				got := openPolicy(t, mod).configurePolicy(c.Config)
				if got != c.Error {
					t.Errorf("%s: got %q, want %q", c.About, got, c.Error)
				}
				continue
			}
			in.judge(&c)
		}
	})
}

func TestEveryLanguageAnswersAsTheReference(t *testing.T) {
	onBoth(t, func(t *testing.T, e *wasm.Engine, code []byte) {
		in := openPolicy(t, compile(t, e, code))
		in.configurePolicy("{}")
		r := rand.New(rand.NewPCG(4, 8))
		for i := range 500 {
			c := policy.Random(r)
			c.About = fmt.Sprintf("question %d", i)
			in.judge(&c)
		}
	})
}

// TestNoLanguageLeaks asks one instance so often that what is not freed shows as pages.
func TestNoLanguageLeaks(t *testing.T) {
	e := policyEngine(t, false)
	for name, code := range languages(t) {
		t.Run(name, func(t *testing.T) {
			in := openPolicy(t, compile(t, e, code))
			in.configurePolicy("{}")
			r := rand.New(rand.NewPCG(15, 16))
			large := policy.Case{Call: "upstream", Question: policy.Question{
				Topic: "a/raw", Payload: bytes.Repeat([]byte("k=v;"), 1<<12),
			}}
			ask := func(n int) uint32 {
				for range n {
					c := policy.Random(r)
					in.ask(&c)
				}
				for range 20 {
					in.ask(&large)
				}
				return in.guest.Memory().Size()
			}
			before := ask(3000) // a collector lets its heap grow first
			if after := ask(5000); after > before {
				t.Errorf("memory grew from %d to %d bytes", before, after)
			}
		})
	}
}
