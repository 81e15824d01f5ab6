package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/client"
)

// changing answers as a broker at which a change goes on, and notes what it was asked.
type changing struct {
	asked  []string
	events string
	change string // what a change is, if not one that has just begun
	dies   bool   // it ends after the events, in the middle of its answer
	stop   func() // ends the command after the events, if it is set
}

func (b *changing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.asked = append(b.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	switch r.URL.Path {
	case "/api/v1/bundles":
		_, _ = fmt.Fprintf(w, `{"source":"%s@sha256:01","digest":"sha256:01","bytes":%d}`,
			r.URL.Query().Get("name"), len(body))
	case "/api/v1/events":
		_, _ = io.WriteString(w, b.events)
		if b.stop != nil {
			_ = http.NewResponseController(w).Flush()
			b.stop()
			<-r.Context().Done()
		}
		if b.dies {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	default:
		one := cmp.Or(b.change, `{"id":"x","state":"requested","marks":[{"seq":7,`+
			`"at":"2026-01-31T15:04:05Z","state":"requested"}],"places":[]}`)
		if r.Method == http.MethodGet && r.URL.Path == "/api/v1/changes" {
			one = "[" + one + "]"
		}
		_, _ = io.WriteString(w, one)
	}
}

// asks runs a command line against b.
func (b *changing) asks(t *testing.T, in string, args ...string) (int, string, string) {
	t.Helper()
	h := httptest.NewServer(b)
	defer h.Close()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if b.stop != nil {
		b.stop = cancel
	}
	code := run(ctx, append([]string{"--server", h.URL}, args...),
		streams{strings.NewReader(in), &out, &errs})
	return code, out.String(), errs.String()
}

const wentWell = `{"seq":7,"at":"2026-01-31T15:04:05Z","change":"x","state":"requested"}
{"seq":8,"at":"2026-01-31T15:04:05Z","change":"y","state":"refused"}

{"seq":9,"at":"2026-01-31T15:04:06Z","change":"x","state":"canary","step":1,"why":"5 %"}
{"seq":10,"at":"2026-01-31T15:04:07Z","change":"x","state":"done"}
`

func TestASwapStepByStepIsAChange(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "vendor.wasm")
	write(t, wasm, "\x00asm")
	b := &changing{events: wentWell}
	code, out, errs := b.asks(t, "", "link", "swap", "--listener", "m", "--role", "router",
		"--use", wasm, "--canary", "5,100", "--dwell", "30s", "--watch", "5m", "--grant", "kv")
	if code != exitOK || errs != "" || len(b.asked) != 3 {
		t.Fatalf("exit %d: %s; asked %q", code, errs, b.asked)
	}
	if want := "POST /api/v1/bundles?name=vendor \x00asm"; b.asked[0] != want {
		t.Errorf("asked %q, want %q", b.asked[0], want)
	}
	for _, part := range []string{
		`"items":[{"listener":"m","role":"router","source":"vendor@sha256:01","grants":["kv"]}]`,
		`"canary":{"steps":[{"percent":5,"dwell":"30s"},{"percent":100,"dwell":"30s"}]}`,
		`"watch":"5m"`, `"id":"change-`, `"by":"`,
	} {
		if !strings.Contains(b.asked[1], part) {
			t.Errorf("asked %s\nwithout %s", b.asked[1], part)
		}
	}
	if b.asked[2] != "GET /api/v1/events?change=x" || strings.Contains(out, "refused") ||
		!strings.Contains(out, "canary step 1   5 %") || strings.Count(out, "\n") != 3 {
		t.Errorf("asked %s, printed\n%s", b.asked[2], out)
	}
}

func TestSubmitReadsAFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	write(t, filepath.Join(dir, "v.wasm"), "\x00asm")
	write(t, file, "id: x\nitems:\n  - {listener: m, role: router, source: ./v.wasm,\n"+
		"     config: {a.b: [1]}}\ncanary: {steps: [{percent: 5, dwell: 1m}]}\n")
	b := &changing{}
	code, out, errs := b.asks(t, "", "change", "submit", "-f", file)
	if code != exitOK || len(b.asked) != 2 || !strings.Contains(b.asked[1],
		`"source":"v@sha256:01","config":{"a.b":[1]}`) || !strings.Contains(out, "watch x") {
		t.Errorf("exit %d: %s%s; asked %q", code, out, errs, b.asked)
	}
	b = &changing{events: strings.Replace(wentWell, `"state":"done"`,
		`"state":"rolled back","why":"3 of 50"`, 1)}
	code, _, errs = b.asks(t, `{"id":"x","items":[{"listener":"m","role":"r","source":"s"}]}`,
		"change", "submit", "-f", "-", "--wait")
	if code != exitRefused || !strings.Contains(errs, "x is rolled back: 3 of 50") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = b.asks(t, "itmes: []\n", "change", "submit", "-f", "-")
	if code != exitUsage || !strings.Contains(errs, "itmes") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestTheHelpOfSubmitShowsTheWholeFile: what it shows is a change, and has every key of one.
func TestTheHelpOfSubmitShowsTheWholeFile(t *testing.T) {
	_, file, _ := strings.Cut(submitLong, "\n\n")
	file, _, _ = strings.Cut(file, "\n\n")
	b := &changing{}
	if code, _, errs := b.asks(t, file, "change", "submit", "-f", "-"); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	memory := regexp.MustCompile(`memory_bytes_max: (\d+)`).FindStringSubmatch(file)
	if n, err := strconv.ParseUint(memory[1], 10, 32); err != nil || n%(64<<10) > 0 ||
		n > uint64(wasm.Default().MemoryBytesMax) {
		t.Errorf("%s is refused by a broker as it is: %v", memory[0], err)
	}
	var look func(of reflect.Type)
	look = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		for i := 0; of.Kind() == reflect.Struct && i < of.NumField(); i++ {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !regexp.MustCompile(`\b` + key + `:`).MatchString(file) {
				t.Errorf("it has no %s", key)
			}
			look(of.Field(i).Type)
		}
	}
	look(reflect.TypeFor[client.NewChange]())
}

// The cause is mended, and the same file submitted: the broker answers what became of the first.
func TestAChangeThatHasEndedDoesNotBeginAgainByItsID(t *testing.T) {
	const wish = `{"id":"x","items":[{"listener":"m","role":"r","source":"s"}]}`
	b := &changing{change: `{"id":"x","state":"refused","ended":true,"of":"test","why":"no",` +
		`"marks":[{"seq":7,"state":"requested"}],"places":[]}`}
	for _, args := range []string{"", " --wait", " --json"} {
		code, out, errs := b.asks(t, wish, words("change submit -f -"+args)...)
		if code != exitRefused || strings.Contains(out, "follow it") ||
			!strings.Contains(errs, "x is refused at test: no\nthat id is used up") {
			t.Errorf("%s: exit %d: %s%s", args, code, out, errs)
		}
	}
	b.change = `{"id":"x","state":"done","ended":true,"marks":[],"places":[]}`
	if code, out, errs := b.asks(t, wish, words("change submit -f -")...); code != exitOK ||
		out != "x is done\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// TestWhatIsNotOnRecordIsPrinted beside what was done: a restart would take it back.
func TestWhatIsNotOnRecordIsPrinted(t *testing.T) {
	const text = `"unrecorded":"not on record yet: \u001b a restart"`
	b := &changing{
		change: `{"id":"x","state":"rolled back","places":[],` + text + `}`,
		events: strings.Replace(wentWell, `"state":"done"`, `"state":"rolled back",`+text, 1),
	}
	for _, args := range [][]string{
		{"change", "rollback", "x"}, {"change", "watch"},
		{"link", "rollback", "--listener", "m", "--role", "router"},
	} {
		_, out, _ := b.asks(t, "", args...)
		if strings.Count(out, "not on record yet:") != 1 || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %q", args, out)
		}
	}
}

// TestWhoStopsToWaitIsToldWhatGoesOn: the change does.
func TestWhoStopsToWaitIsToldWhatGoesOn(t *testing.T) {
	b := &changing{stop: func() {}, events: strings.Replace(wentWell, `"state":"done"`,
		`"state":"draining"`, 1)}
	const wish = `{"id":"x","items":[{"listener":"m","role":"r","source":"s"}]}`
	for _, args := range []string{"change submit -f - --wait",
		"link swap --listener m --role router --bundle r:2"} {
		code, _, errs := b.asks(t, wish, words(args)...)
		if code != exitInterrupted ||
			!strings.Contains(errs, "x goes on: hpmq-cli change watch x ") ||
			!strings.Contains(errs, "hpmq-cli change cancel x ") {
			t.Errorf("%s: exit %d: %s", args, code, errs)
		}
	}
}

// Nobody knows then what became of the change: that is not what a refusal is.
func TestABrokerThatEndsMeanwhileHasNotRefused(t *testing.T) {
	const wish = `{"id":"x","items":[{"listener":"m","role":"r","source":"s"}]}`
	b := &changing{events: strings.Replace(wentWell, `"state":"done"`, `"state":"draining"`, 1)}
	for _, b.dies = range []bool{true, false} {
		for _, args := range []string{"change submit -f - --wait", "change watch x",
			"link swap --listener m --role router --bundle r:2"} {
			code, _, errs := b.asks(t, wish, words(args)...)
			if code != exitUnreachable || !strings.Contains(errs, "while x was draining: hpmq-cli "+
				"change show x --server http://127.0.0.1:") ||
				!strings.Contains(errs, "says what became of it") {
				t.Errorf("%s: exit %d: %s", args, code, errs)
			}
		}
		code, _, errs := b.asks(t, "", "change", "watch")
		if code != exitUnreachable {
			t.Errorf("exit %d: %s", code, errs)
		}
	}
}

// A change has what its shadow found: the last five that differ, and what the broker does not say
// of them is not made up.
func TestShowTellsWhatAShadowFound(t *testing.T) {
	const shadow = `"asked":2000,"matched":1990,"failed":4,"left_out":7,"match_rate":0.995,` +
		`"active":{"fuel":900,"p99_us":9},"candidate":{"fuel":1800,"p50_us":2.5,"p99_us":20},` +
		`"differences":[{"listener":"m","role":"router","position":1,"client_id":"first",` +
		`"topic":"t","active":"a","candidate":"b"}`
	const bare = `,{"listener":"m","role":"router","position":1,"active":"send QoS 1, 3 bytes",` +
		`"candidate":"drop\u001b[2J"}`
	answer := `{"id":"x","state":"shadow","places":[],"marks":[],"shadow":{` + shadow
	for name, c := range map[string]exchange{
		"counts": {"change show x", answer + "]}}", "GET /api/v1/changes/x",
			"1 990 of 2 000 answers alike (99.50 %), 4 failed, 7 left out; candidate fuel 1 800, " +
				"p50 2.5 µs, p99 20.0 µs; active fuel 900, p50 0.0 µs, p99 9.0 µs"},
		"difference": {"change show x", answer + "]}}", "GET /api/v1/changes/x",
			"m router[1], first on t: a → b"},
		"redacted": {"change show x", answer + bare + "]}}", "GET /api/v1/changes/x",
			"m router[1]: send QoS 1, 3 bytes → drop"},
		"nobody asked": {"change show x", `{"id":"x","state":"shadow","places":[],"marks":[],` +
			`"shadow":{"asked":0,"left_out":3}}`, "GET /api/v1/changes/x",
			"nothing compared: nobody asked what could be, 3 left out\n"},
		"refused before it was fetched": {"change show x", `{"id":"x","state":"refused",` +
			`"marks":[],"places":[{"listener":"m","role":"router","position":0,"source":"r:2",` +
			`"old":{"name":"rules","version":"1.0.0","digest":"sha256:0123456789abcdef"}}]}`,
			"GET /api/v1/changes/x", "m router: rules 1.0.0 0123456789ab → r:2"},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
	b := &changing{change: answer + strings.Repeat(bare, 5) + "]}}"}
	code, out, errs := b.asks(t, "", "change", "show", "x")
	if code != exitOK || strings.Count(out, "→") != 5 || strings.Contains(out, "first") ||
		strings.Contains(out, "\x1b[2J") {
		t.Errorf("exit %d: %s\n%s", code, errs, out)
	}
}

// What came of a shadow is printed when it is over, before the state that follows.
func TestWatchTellsWhatAShadowFound(t *testing.T) {
	b := &changing{
		events: `{"seq":7,"at":"2026-01-31T15:04:05Z","change":"x","state":"shadow"}` + "\n" +
			`{"seq":9,"at":"2026-01-31T15:04:06Z","change":"x","state":"refused","of":"shadow"}` +
			"\n",
		change: `{"id":"x","state":"shadow","places":[],"marks":[{"seq":7,"state":"shadow"}],` +
			`"shadow":{"asked":4,"matched":3,"match_rate":0.75,"differences":[{"listener":"m",` +
			`"role":"router","position":0,"active":"send","candidate":"drop"}]}}`,
	}
	_, out, errs := b.asks(t, "", "change", "watch", "x")
	began := strings.Index(out, "shadow")
	found := strings.Index(out, "3 of 4 answers alike (75.00 %)")
	differs, over := strings.Index(out, "m router[0]: send → drop"), strings.Index(out, "refused")
	if began < 0 || found < began || differs < found || over < differs {
		t.Errorf("printed %s\n%s", out, errs)
	}
}

func TestCommandsAboutChanges(t *testing.T) {
	const one = `{"id":"x","state":"canary","step":1,"by":"ann","places":[{"listener":"m",` +
		`"role":"router","position":1,"old":{"name":"a","digest":"sha256:0123456789abcdef"},` +
		`"new":{"name":"b","version":"2"}}],"marks":[{"seq":1,"at":"2026-01-31T15:04:05Z",` +
		`"state":"canary","step":1,"why":"5 %"}],"health":{"candidate":{"calls":1200,` +
		`"faults":{"trap":3,"absent":30},"p50_us":1.5,"p99_us":9},"active":{"calls":7}}}`
	const undone = `{"id":"x","state":"done","ended":true,"places":[],"marks":[],"undone":[` +
		`{"listener":"m","role":"router","at":"2026-01-31T15:04:05Z","by":"bob"}]}`
	for name, c := range map[string]exchange{
		"list": {"change list", "[" + one + "]", "GET /api/v1/changes",
			"x   canary step 1  m router[1]: a 0123456789ab → b 2  ann"},
		"show": {"change show x", one, "GET /api/v1/changes/x",
			"candidate 1 230 questions, 33 faults, p50 1.5 µs, p99 9.0 µs; " +
				"active 7 questions, 0 faults"},
		"list of what was undone": {"change list", "[" + undone + "]", "GET /api/v1/changes",
			"m router rolled back since, by bob, 20"},
		"show of what was undone": {"change show x", undone, "GET /api/v1/changes/x",
			"\n  m router rolled back since, by bob, 20"},
		"cancel": {"change cancel x --by joe", one, "POST /api/v1/changes/x/cancel?by=joe",
			"x: canary step 1, asked for by ann"},
		"promote": {"change promote x --by joe", one, "POST /api/v1/changes/x/promote?by=joe",
			"canary step 1   5 %"},
		"rollback": {"change rollback a/b --by joe", one,
			"POST /api/v1/changes/a%2Fb/rollback?by=joe", "x: canary"},
		"quarantine": {"change quarantine list", `[{"digest":"sha256:01","change":"x",` +
			`"since":"2026-01-31T15:04:05Z","why":"3 of 50"}]`, "GET /api/v1/quarantine",
			"x       sha256:01  3 of 50"},
		"pardon": {"change quarantine pardon sha256:01 --by joe", "",
			"DELETE /api/v1/quarantine/sha256:01?by=joe",
			"sha256:01 is not in quarantine any more"},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

// TestALineThatIsDrawnAnewDoesNotWrap: each redraw would leave a row behind.
func TestALineThatIsDrawnAnewDoesNotWrap(t *testing.T) {
	const noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
	text := redrawn(strings.Repeat("x", 200))
	if !strings.HasPrefix(text, "\r\x1b[K"+noWrap+"x") || !strings.HasSuffix(text, "x"+wrap) {
		t.Errorf("%q", text)
	}
}

// TestWhatEndsWithoutAReasonHasNone, and no colon before it.
func TestWhatEndsWithoutAReasonHasNone(t *testing.T) {
	for want, e := range map[string]client.ChangeEvent{
		"change x is cancelled by ann":        {State: "cancelled", By: "ann"},
		"change x is refused at test: no":     {State: "refused", Of: "test", Why: "no"},
		"change x is rolled back by ann: bad": {State: "rolled back", By: "ann", Why: "bad"},
		"change x is rolled back":             {State: "rolled back"},
	} {
		if e.Change = "x"; notDone(&e).Error() != want {
			t.Errorf("%q, want %q", notDone(&e), want)
		}
	}
}

// TestAPromotionIsSaidWhereNoStateShowsIt yet.
func TestAPromotionIsSaidWhereNoStateShowsIt(t *testing.T) {
	for state, want := range map[string]bool{"requested": true, "tested": true, "canary": false} {
		b := &changing{change: `{"id":"x","state":"` + state + `","marks":[],"places":[]}`}
		for _, decision := range []string{"promote", "cancel"} {
			_, out, errs := b.asks(t, "", "change", decision, "x")
			said := strings.Contains(out, "its shadow and canary will be left out")
			if said != (want && decision == "promote") {
				t.Errorf("%s of what is %s: %s%s", decision, state, out, errs)
			}
		}
	}
}

// TestWatchOfAllBeginsNow, not with what was days ago, and says if events were missed.
func TestWatchOfAllBeginsNow(t *testing.T) {
	b := &changing{events: `{"seq":7,"change":"x","state":"canary"}
{"error":"events were missed"}
`}
	code, out, errs := b.asks(t, "", "change", "watch")
	if want := "GET /api/v1/events?now=true"; b.asked[len(b.asked)-1] != want {
		t.Errorf("asked %q, want %q", b.asked, want)
	}
	if code != exitRefused || !strings.Contains(errs, "events were missed") ||
		!strings.Contains(out, "x  canary") || strings.Count(out, "\n") != 1 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// TestATimeOfAnotherDayHasItsDate.
func TestATimeOfAnotherDayHasItsDate(t *testing.T) {
	now := time.Date(2026, 1, 31, 15, 4, 5, 0, time.Local)
	for want, at := range map[string]time.Time{
		"15:04:05.000":            now,
		"2026-01-30 15:04:05.000": now.AddDate(0, 0, -1),
		"2025-01-31 15:04:05.000": now.AddDate(-1, 0, 0),
	} {
		if got := clockText(now, at.UTC()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestASourceThatIsThereIsAFile(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "bundles", "router"), 0o700),
		os.Mkdir(filepath.Join(dir, "router-rules"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]bool{
		"bundles/router": true, "bundles/none": false, "router-rules": false, "./x": true,
		"x.tar": true, "registry.example/acme/router:2.1": false,
	} {
		if got := isFile(dir, source); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}
