package tidy

import (
	"strings"
	"testing"
	"testing/fstest"
)

// doc begins a fake file with a comment that is long enough.
const doc = "// Package x knows what it knows, which is enough for a test.\n"

func fake(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func fakeMap(t *testing.T, text string) Map {
	t.Helper()
	m, err := ParseMap(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// one is a tree of one file in one room.
func one(t *testing.T, path, body string) *Tree {
	t.Helper()
	return fake(t, map[string]string{path: doc + body})
}

// wantKeys compares the check and key of findings with "check key" words, in order.
func wantKeys(t *testing.T, got []Finding, want ...string) {
	t.Helper()
	var keys []string
	for _, f := range got {
		keys = append(keys, f.Check+" "+f.Key)
	}
	if strings.Join(keys, "\n") != strings.Join(want, "\n") {
		t.Errorf("found %q, want %q\n%v", keys, want, got)
	}
}

func TestMapFindsPackagesWithoutARow(t *testing.T) {
	tree := fake(t, map[string]string{"a/a.go": doc + "package a", "b/c/c.go": doc + "package c",
		"d/d.go": doc + "package d"})
	m := fakeMap(t, "a | - | - | A.\nb/... | - | - | B.\ngone | - | - | Gone.")
	wantKeys(t, CheckMap(tree, m), "rooms d", "rooms gone")
}

func TestMapRefusesBadRows(t *testing.T) {
	for _, text := range []string{
		"a | - | -", " | - | - | Nameless.", "a | - | - |", "a | - | - | One. Two.",
		"a | - | - | One.\na | - | - | Again.",
	} {
		if _, err := ParseMap(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestArrowsHold(t *testing.T) {
	imp := func(room string) string {
		return "package a\nimport _ \"" + ModulePath + "/" + room + "\"\n"
	}
	tree := fake(t, map[string]string{
		"a/a.go":      doc + imp("b"),
		"a/a_test.go": imp("c"),
		"b/b.go":      doc + imp("c"),
		"c/c.go":      doc + imp("d/e"),
	})
	m := fakeMap(t, "a | b test:c | - | A.\nb | - | - | B.\nc | d/... | - | C.")
	wantKeys(t, CheckArrows(tree, m), "arrow b -> c")
	m = fakeMap(t, "a | b | - | A.\nb | c | - | B.\nc | d | - | C.")
	wantKeys(t, CheckArrows(tree, m), "arrow a -> c", "arrow c -> d/e")
}

func TestVendorsStayAtHome(t *testing.T) {
	tree := fake(t, map[string]string{
		"a/a.go":      doc + "package a\nimport _ \"example.com/v/sub\"\nimport _ \"net/http\"\n",
		"a/a_test.go": "package a\nimport _ \"example.com/w\"\n",
		"b/b.go":      doc + "package b\nimport _ \"example.com/v\"\n",
	})
	m := fakeMap(t, "a | - | example.com/v test:example.com/w | A.\nb | - | - | B.")
	wantKeys(t, CheckVendors(tree, m), "vendor b -> example.com/v")
	wantKeys(t, CheckVendorRooms(m))
	m = fakeMap(t, "a | - | example.com/v github.com/spf13/cobra | A.\n"+
		"b | - | example.com/v github.com/spf13/cobra | B.\n"+
		"components/c | - | example.com/w | C.\ncomponents/d | - | example.com/w | D.")
	wantKeys(t, CheckVendorRooms(m), "vendor example.com/v")
}

func TestNothingImportsConformance(t *testing.T) {
	imp := "\nimport _ \"" + ModulePath + "/conformance/x\"\n"
	tree := fake(t, map[string]string{"host/a/a.go": doc + "package a" + imp,
		"host/a/a_test.go": "package a" + imp, "conformance/y/y.go": doc + "package y" + imp})
	wantKeys(t, CheckApart(tree), "apart host/a -> conformance/x")
}

func TestNamesSaySomething(t *testing.T) {
	wantKeys(t, CheckNames(one(t, "host/util/a.go", "package util")), "name host/util")
	wantKeys(t, CheckNames(one(t, "host/gate/a.go", "package gate")))
}

func TestPackagesHaveComments(t *testing.T) {
	tree := fake(t, map[string]string{"a/a.go": "package a", "b/b.go": doc + "package b",
		"c/c.go": "// Short.\npackage c"})
	wantKeys(t, CheckComments(tree), "comment a", "comment c")
}

func TestTestsDoNotSleep(t *testing.T) {
	body := "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"
	wantKeys(t, CheckSleep(one(t, "a/a_test.go", body)), "sleep a/a_test.go")
	wantKeys(t, CheckSleep(one(t, "a/a.go", body)))
}

func TestInitIsFound(t *testing.T) {
	body := "package a\nfunc init() {}\ntype T int\nfunc (T) init() {}\n"
	wantKeys(t, CheckInit(one(t, "a/a.go", body)), "init a/a.go")
	wantKeys(t, CheckInit(one(t, "sdk/guest/go/a.go", body)))
}

func TestStateIsFound(t *testing.T) {
	for body, want := range map[string]string{
		"var x int":                                     "state a:x",
		"var x = make(map[string]int)":                  "state a:x",
		"var x sync.Mutex = f()":                        "state a:x",
		"var x = sync.OnceFunc(f)":                      "state a:x",
		"var x = &atomic.Int64{}":                       "state a:x",
		"var x chan int = f()":                          "state a:x",
		"var x = 1\nfunc f() { x++ }":                   "state a:x",
		"var x = 1\nfunc f() { x = 2 }":                 "state a:x",
		"var x = []int{1}\nfunc f() { x[0] = 2 }":       "state a:x",
		"var x = T{}\nfunc f() { x.y.z = 2 }":           "state a:x",
		"var x = T{}\nfunc f() *T { return &x }":        "state a:x",
		"var x = T{}\nfunc f() { y := &x[1]; y.z = 2 }": "state a:x",
		"var x = T{1: 2}\nfunc f() { delete(x,1)}":      "state a:x",
	} {
		wantKeys(t, CheckState(one(t, "a/a.go", "package a\n"+body)), want)
	}
}

func TestConstantsInEffectPass(t *testing.T) {
	for _, body := range []string{
		"var ErrX = errors.New(\"x\")",
		"var _ I = (*T)(nil)",
		"var table = [2]int{1, 2}\nfunc f(i int) int { return table[i] }",
		"var re = regexp.MustCompile(`x`)",
		"//go:embed x\nvar text string",
		"var x = 1\nfunc f() { x := 2; x++ }",
		"var x = T{}\nfunc f() int { y := &x[1]; return y.z }",
		"var f = func() *T { return new(T) }",
	} {
		wantKeys(t, CheckState(one(t, "a/a.go", "package a\n"+body)))
	}
	shown := "package a\nvar x = T{}\nfunc f() { show(&x) }"
	wantKeys(t, CheckState(one(t, "a/a_test.go", shown)))
	wantKeys(t, CheckState(one(t, "components/router-x/guest/a.go", "package main\nvar x int")))
	wantKeys(t, CheckState(one(t, "components/router-x/a.go", "package router\nvar x int")),
		"state components/router-x:x")
}

func TestKernelIsPure(t *testing.T) {
	for body, want := range map[string]string{
		"import \"time\"":                               "pure lite/broker -> time",
		"import \"sync/atomic\"":                        "pure lite/broker -> sync/atomic",
		"import \"net\"":                                "pure lite/broker -> net",
		"import \"os\"":                                 "pure lite/broker -> os",
		"import \"example.com/v\"":                      "pure lite/broker -> example.com/v",
		"func f() { go f() }":                           "pure lite/broker/a.go",
		"type t struct { c chan int }":                  "pure lite/broker/a.go",
		"import \"math/rand/v2\"\nvar x = rand.IntN(3)": "pure lite/broker/a.go",
	} {
		wantKeys(t, CheckPure(one(t, "lite/broker/a.go", "package broker\n"+body)), want)
	}
	gate := ModulePath + "/host/gate"
	wantKeys(t, CheckPure(one(t, "lite/broker/a.go", "package broker\nimport \""+gate+"\"")),
		"pure lite/broker -> "+gate)
	pure := "package broker\nimport (\"bytes\"; \"math/rand/v2\"; _ \"" + ModulePath +
		"/sdk/mqtt\")\nvar r = rand.New(rand.NewPCG(1, 2))\n"
	wantKeys(t, CheckPure(one(t, "lite/broker/a.go", pure)))
	wantKeys(t, CheckPure(one(t, "lite/broker/a_test.go", "package broker\nimport \"time\"")))
}

func TestDecodersAreFuzzed(t *testing.T) {
	decoder := "package a\nfunc (t T) Decode(b []byte) error { return nil }\n"
	wantKeys(t, CheckFuzzed(one(t, "a/a.go", decoder)), "fuzz a")
	wantKeys(t, CheckFuzzed(fake(t, map[string]string{"a/a.go": decoder,
		"a/a_test.go": "package a\nfunc FuzzDecode(f *testing.F) {}\n"})))
	wantKeys(t, CheckFuzzed(one(t, "a/a.go", "package a\nfunc Decode(s string) {}\n")))
}
