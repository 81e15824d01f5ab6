package configs

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden holds each testdata/good/NAME.yaml against NAME.full: the whole configuration it
// means; and each testdata/bad/NAME.yaml against NAME.errors: every fault of it.
func TestGolden(t *testing.T) {
	for _, dir := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".yaml")
			t.Run(dir+"/"+name, func(t *testing.T) { golden(t, f, dir == "good") })
		}
	}
}

func golden(t *testing.T, f string, good bool) {
	environ, _ := os.ReadFile(strings.TrimSuffix(f, ".yaml") + ".env")
	c, err := Load(Sources{File: f, Environ: strings.Split(string(environ), "\n")})
	var got, wantFile string
	if good {
		if err != nil {
			t.Fatalf("load: %v", err)
		}
		text, err := c.Text()
		if err != nil {
			t.Fatal(err)
		}
		got, wantFile = string(text), strings.TrimSuffix(f, ".yaml")+".full"
		again, err := Parse(text)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("does not round-trip: %v\n%+v\n%+v", err, c, again)
		}
	} else {
		var ps Problems
		if !errors.As(err, &ps) {
			t.Fatalf("error %v is no Problems", err)
		}
		got, wantFile = ps.Error()+"\n", strings.TrimSuffix(f, ".yaml")+".errors"
	}
	if *rewrite {
		if err := os.WriteFile(wantFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(wantFile)
	if err != nil || got != string(want) {
		t.Errorf("got\n%s\nwant (%s)\n%s\n%v", got, wantFile, want, err)
	}
}

func TestDefaultIsValidAndRoundTrips(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	text, err := c.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Fatalf("%v\n%s", err, text)
	}
	empty, err := Parse(nil)
	if err != nil || !reflect.DeepEqual(c, empty) {
		t.Fatalf("an empty file is not the default: %v\n%+v", err, empty)
	}
}

func TestSamplesLoad(t *testing.T) {
	for _, f := range []string{"hpmq.yaml", "minimal.yaml", "components.yaml", "tls.yaml"} {
		if _, err := Load(Sources{File: f}); err != nil {
			t.Errorf("%s:\n%v", f, err)
		}
	}
}

// TestSampleIsTheDefault keeps the values that the commented sample shows true.
func TestSampleIsTheDefault(t *testing.T) {
	c, err := Load(Sources{File: "hpmq.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestLayers(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f.yaml")
	file := "data_dir: a\nadmin: {bind: 127.0.0.1:1}\nlog: {level: warn}\n"
	if err := os.WriteFile(f, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{
		File:    f,
		Environ: []string{"HPMQ_DATA_DIR=b", "HPMQ_ADMIN__BIND=127.0.0.1:2", "PATH=/bin"},
		Flags:   map[string]any{"admin.bind": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := [3]string{c.DataDir, c.Admin.Bind, c.Log.Level}
	if want := [3]string{"b", "127.0.0.1:3", "warn"}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFaultsNameTheirSource(t *testing.T) {
	_, err := Load(Sources{
		Environ:   []string{"HPMQ_LOOPS=many", "HPMQ_ADMN__BIND=x"},
		Flags:     map[string]any{"log.level": "loud"},
		FlagNames: map[string]string{"log.level": "--log-level"},
	})
	for _, want := range []string{
		"HPMQ_LOOPS: loops: must be a whole number",
		`HPMQ_ADMN__BIND: admn: unknown key; did you mean "admin"?`,
		"--log-level: log.level: \"loud\" is not known",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestForeignEnvironmentIsLeftAlone(t *testing.T) {
	_, err := Load(Sources{Environ: []string{
		"HPMQ_CLI_TOKEN=x", "HPMQ_SERVICE_HOST=10.0.0.1", "HPMQ_PORT_1883_TCP=tcp://10.0.0.1:1883",
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := Load(Sources{File: "nowhere.yaml"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestUsePathsAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	f := filepath.Join(dir, "f.yaml")
	text := "listeners: [{name: a, bind: 'tcp://:1', link: {router: [{use: r.wasm}]}}]"
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{File: f})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Listeners[0].Link.Router[0].Use; got != filepath.Join(dir, "r.wasm") {
		t.Errorf("got %s", got)
	}
}

func TestCertificatePathsAreRelativeToTheFile(t *testing.T) {
	c, err := Load(Sources{File: "tls.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	at := func(file string) string { return filepath.Join(".", "certs", file) }
	want := []string{at("server.pem"), at("server.key"), at("ca.pem")}
	got := c.Listeners[0].Secure.Files()
	if len(got) < 2 || !reflect.DeepEqual(got[:2], want[:2]) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := c.Listeners[1].Secure.Files(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzParse: whatever the text, the answer is a configuration that is valid and round-trips, or an
// error.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("parsed, but: %v", err)
		}
		out, err := c.Text()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Parse(out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
