package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/host/lock"
)

// sample is a small export.
const sample = `{"kind":"hpmq-store","version":1}
{"kind":"payload","payload":1,"sharers":2,"message":{"topic":"a","payload":"shared"}}
{"kind":"session","client_id":"one","state":{"version":5,"expiry":60,` +
	`"subscriptions":[{"filter":"a","qos":1}]}}
{"kind":"queued","client_id":"one","seq":7,"delivery":{"qos":1},"payload":1}
{"kind":"session","client_id":"two","state":{"version":4,"expiry":4294967295}}
{"kind":"received","client_id":"two","packet_id":9}
{"kind":"queued","client_id":"two","seq":7,"delivery":{"qos":1},"payload":1}
{"kind":"retained","topic":"r","message":{"topic":"r","payload":"kept","qos":1,"retain":true}}
{"kind":"kv","component":"c","key":"n","counter":-5}
{"kind":"kv","expire":4102444800000,"component":"c","key":"v","value":"<x>","ttl":1000}
{"kind":"kv","component":"d","key":"","value_base64":"/w=="}
{"kind":"history","topic":"t/a","listener":"l","value":""}
{"kind":"end","records":11}
`

// offline runs a command line that must end with code, and answers what it printed.
func offline(t *testing.T, code int, args ...string) string {
	t.Helper()
	got, out, errs := cli(t, &server{}, append([]string{"store"}, args...)...)
	if got != code {
		t.Fatalf("%v: exit %d, want %d: %s%s", args, got, code, out, errs)
	}
	return out + errs
}

// What is exported and imported is the same, also compressed; all commands say what they did.
func TestStoreThereAndBack(t *testing.T) {
	dir := t.TempDir()
	in, one, two := filepath.Join(dir, "in"), filepath.Join(dir, "1.zst"), filepath.Join(dir, "2")
	write(t, in, sample)
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	said := offline(t, exitOK, "import", in, "--data", a)
	if !strings.Contains(said, "2 sessions, 2 queued messages, 1 shared payloads") {
		t.Error(said)
	}
	offline(t, exitOK, "export", one, "--data", a)
	offline(t, exitUsage, "export", one, "--data", a)
	said = offline(t, exitOK, "export", "--skip-damaged", filepath.Join(dir, "3"), "--data", a)
	if !strings.Contains(said, "0 places were left out") || !strings.Contains(said, "2 sessions") {
		t.Error(said)
	}
	offline(t, exitOK, "import", one, "--data", b)
	offline(t, exitOK, "compact", "--data", b)
	offline(t, exitOK, "export", two, "--data", b)
	got, err := os.ReadFile(two)
	_, body, _ := strings.Cut(string(got), "\n")
	if _, want, _ := strings.Cut(sample, "\n"); err != nil || body != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, body, want)
	}
	if out := offline(t, exitOK, "--json", "check", "--data", b); !strings.Contains(out,
		`"sessions": 2`) {
		t.Error(out)
	}
}

// What is bad changes nothing, and says where it is bad.
func TestStoreImportIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	data, in := filepath.Join(dir, "data"), filepath.Join(dir, "in")
	write(t, in, sample)
	offline(t, exitOK, "import", in, "--data", data)
	said := offline(t, exitRefused, "import", in, "--data", data)
	if !strings.Contains(said, "--merge") {
		t.Error(said)
	}
	bad := filepath.Join(dir, "bad")
	for text, want := range map[string]string{
		strings.Replace(sample, `"packet_id":9`, `"packet_id":"x"`, 1): "line 6: damaged",
		strings.Replace(sample, `"sharers":2`, `"sharers":3`, 1):       "does not fit together",
		sample[:len(sample)-30]: "line 12",
	} {
		write(t, bad, text)
		for _, how := range []string{"--merge", "--replace"} {
			said := offline(t, exitRefused, "import", bad, how, "--data", data)
			if !strings.Contains(said, want) || !strings.Contains(said, "nothing has changed") {
				t.Errorf("%s, want %s", said, want)
			}
		}
	}
	offline(t, exitOK, "import", in, "--merge", "--data", data)
	offline(t, exitOK, "import", in, "--replace", "--data", data)
	if out := offline(t, exitOK, "check", "--data", data); !strings.Contains(out, "sessions") {
		t.Error(out)
	}
	if left, _ := filepath.Glob(filepath.Join(data, "store.*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What components remember is listed, and dropped by component.
func TestStoreKV(t *testing.T) {
	dir := t.TempDir()
	in, data := filepath.Join(dir, "in"), filepath.Join(dir, "data")
	write(t, in, sample)
	said := offline(t, exitOK, "import", in, "--data", data)
	if !strings.Contains(said, "3 keys and 1 last payloads") {
		t.Error(said)
	}
	list := func() string {
		var rows []string
		for _, line := range strings.Split(offline(t, exitOK, "kv", "list", "--data", data), "\n") {
			rows = append(rows, strings.Join(strings.Fields(line), " "))
		}
		return strings.Join(rows, "; ")
	}
	const other = "kv d 1 1 B; history l 1 3 B; "
	if got := list(); got != "KIND NAME ENTRIES BYTES; kv c 2 5 B; "+other {
		t.Error(got)
	}
	said = offline(t, exitUsage, "kv", "drop", "l", "--data", data)
	if !strings.Contains(said, "store kv list") {
		t.Error(said)
	}
	said = offline(t, exitOK, "kv", "drop", "c", "--data", data)
	if said != "c: 2 keys dropped\n" {
		t.Error(said)
	}
	if got := list(); got != "KIND NAME ENTRIES BYTES; "+other {
		t.Error(got)
	}
	said = offline(t, exitOK, "--json", "kv", "drop", "d", "--data", data)
	if !strings.Contains(said, `"entries": 1`) {
		t.Error(said)
	}
	if out := offline(t, exitOK, "check", "--data", data); !strings.Contains(out, "sessions") {
		t.Error(out)
	}
}

// A folder that a broker uses is left alone.
func TestStoreInUse(t *testing.T) {
	dir := t.TempDir()
	in, data := filepath.Join(dir, "in"), filepath.Join(dir, "data")
	write(t, in, sample)
	offline(t, exitOK, "import", in, "--data", data)
	l, err := lock.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"check", "stats", "compact", "export " + in + "2", "import " + in + " --merge",
		"restore b", "kv list", "kv drop c",
	} {
		said := offline(t, exitRefused, append(words(args), "--data", data)...)
		if !strings.Contains(said, "stop that broker") {
			t.Errorf("%s: %s", args, said)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	offline(t, exitUsage, "check", "--data", filepath.Join(dir, "nothing"))
}

// A signal ends a command, whatever it waits for.
func TestASignalEndsWhatHoldsAStore(t *testing.T) {
	for name, wait := range map[string]func(context.Context){
		"hears of it": func(ctx context.Context) { <-ctx.Done() },
		"hangs":       func(context.Context) { <-t.Context().Done() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		err := hold(ctx, t.TempDir(), true, func() error {
			cancel()
			wait(ctx)
			return ctx.Err()
		})
		if code := exitCode(err); code != exitInterrupted {
			t.Errorf("%s: exit %d, %v", name, code, err)
		}
	}
}

// A backup by hand is listed, verified and restored without a broker.
func TestStoreRestore(t *testing.T) {
	dir := t.TempDir()
	in, data := filepath.Join(dir, "in"), filepath.Join(dir, "data")
	write(t, in, sample)
	offline(t, exitOK, "import", in, "--data", data)
	d, err := openStore(filepath.Join(data, storeFolder))
	if err != nil {
		t.Fatal(err)
	}
	k, err := backup.Open(backup.Config{Dir: filepath.Join(data, backup.Folder), CountMax: 1})
	if err == nil {
		_, err = k.Create(d, "b", time.Now())
	}
	if err = errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"backup list":     "b     ",
		"backup verify b": "b is whole: 2 sessions, 2 queued messages",
		"store restore b": "2 sessions, 2 queued messages, 1 retained",
	} {
		code, out, errs := cli(t, &server{}, append(words(args), "--data", data)...)
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %s%s", args, code, out, errs)
		}
	}
	nowhere := filepath.Join(t.TempDir(), "new")
	if said := offline(t, exitRefused, "restore", "none", "--data", nowhere); !strings.Contains(
		said, "there is no backup none") || strings.Contains(said, "damaged") {
		t.Error(said)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is made for nothing: %v", err)
	}
}

func TestBackupCommandsAskAndPrint(t *testing.T) {
	const b = `{"name":"b","files":3,"bytes":2048,"took_ms":4}`
	for name, c := range map[string]exchange{
		"create": {"backup create b", b, `POST /api/v1/store/backups {"name":"b"}`,
			"b: 3 files, 2.0 KB, made in 4 ms"},
		"unnamed": {"backup create", b, `POST /api/v1/store/backups {}`, "b: 3 files"},
		"list":    {"backup list", "[" + b + "]", "GET /api/v1/store/backups", "2.0 KB"},
		"verify": {"backup verify b", `{"backup":` + b + `,"sessions":5}`,
			"POST /api/v1/store/backups/b/verify", "b is whole: 5 sessions"},
		"delete": {"backup delete b", "", "DELETE /api/v1/store/backups/b", "b is deleted"},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}
