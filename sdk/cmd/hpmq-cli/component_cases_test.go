package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/section"
)

// vendorCases are two cases of transformer-json: one that passes and one that does not.
const vendorCases = `[
 {"about": "adds a unit", "call": "upstream", "topic": "a", "payload": "{}",
  "config": "{\"rules\":[{\"filter\":\"a\",\"steps\":[{\"const\":{\"u\":1}}]}]}",
  "answer": [{"topic": "a", "payload": "{\"u\":1}"}]},
 {"about": "is wrong", "call": "downstream", "topic": "a", "payload": "x", "config": "{}",
  "answer": "drop"}]`

func TestTest(t *testing.T) {
	dir := t.TempDir()
	file, bad := filepath.Join(dir, "v.json"), filepath.Join(dir, "bad.json")
	write(t, file, vendorCases)
	write(t, bad, `{"about":"x","calls":[{"call":"upstreem"}]}`)
	for name, c := range map[string]saying{
		"own cases": {"component test " + router1, exitOK, []string{"7 of 7 cases of"}, nil},
		"all told": {"component test --all --interpreter " + router1, exitOK,
			[]string{"pass  shares.json: "}, nil},
		"one fails": {"component test " + json1 + " --cases " + file, exitRefused, []string{
			"FAIL  v.json[1]: is wrong\n      call 0 downstream a\n" +
				"        got   \"keep\"\n        want  \"drop\"\n",
			"1 of 2 cases of",
		}, []string{"does not answer as its golden cases say: 1 of 2 failed"}},
		"as JSON": {"--json component test " + json1 + " --cases " + file, exitRefused,
			[]string{`"passed": 1`, `"got": "\"keep\""`}, nil},
		"another role": {"component test " + router1 + " --cases " + file, exitRefused, nil,
			[]string{`it is made as "router"`}},
		"bad file": {"component test " + json1 + " --cases " + bad, exitUsage, nil,
			[]string{`no function "upstreem"`}},
		"no cases":     {"component test " + plain1, exitUsage, nil, []string{"no golden cases"}},
		"two":          {"component test a.wasm b.wasm", exitUsage, nil, []string{"one component"}},
		"record where": {"component test --record # " + json1, exitUsage, nil, []string{"--out"}},
		"replay what":  {"component test --replay x a.wasm", exitUsage, nil, []string{"two files"}},
		"replay": {"component test --replay " + file + " " + json1 + " " + json1, exitOK,
			[]string{"2 calls, 0 answers differ"}, nil},
		"replay differs": {"component test --replay " + file + " " + json1 + " " + plain1,
			exitRefused, []string{"v.json[0] call 0 upstream a\n", `new  "keep"`},
			[]string{"the two versions differ in "}},
	} {
		t.Run(name, c.check)
	}
}

// tag is a configuration by which plain1 changes payloads.
func tag(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "tag.json")
	write(t, file, `"tag=new:;"`)
	return file
}

// TestRecord: what is recorded of live messages passes as it is, and fails for another component.
func TestRecord(t *testing.T) {
	b := &broker{messages: []string{"a/1={}", "a/2=\xff\x00", "a/3=z"}}
	out := filepath.Join(t.TempDir(), "live.json")
	record := "component test --record # --target " + b.start(t) + " --out " + out
	saying{"--json " + record + " --count 3 " + plain1 + " --config " + tag(t), exitOK,
		[]string{`"calls": 3`}, nil}.check(t)
	all, err := cases.Load(out)
	if err != nil || len(all) != 1 || len(all[0].Calls) != 3 ||
		string(all[0].Calls[1].Payload) != "\xff\x00" {
		t.Fatalf("%v: %+v", err, all)
	}
	saying{"component test " + plain1 + " --cases " + out, exitOK,
		[]string{"1 of 1 cases"}, nil}.check(t)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	write(t, out, strings.Replace(string(text), `"z"`, `"y"`, 1))
	saying{"component test " + plain1 + " --cases " + out, exitRefused, nil, nil}.check(t)
	for name, c := range map[string]saying{
		"there already": {record + " " + plain1, exitUsage, nil, []string{"--force"}},
		"nowhere to": {"component test --record # --out /nowhere/x.json " + plain1, exitUsage, nil,
			[]string{"/nowhere"}},
		"no filter": {"component test --record a/#/b --out x " + plain1, exitUsage, nil,
			[]string{"no topic filter"}},
		"below nothing": {record + " --force --count -1 " + plain1, exitUsage, nil,
			[]string{"negative"}},
		"time is over": {record + " --force --for 200ms --call downstream " + plain1, exitOK,
			[]string{"3 calls of downstream"}, nil},
		"no function": {record + " --force --call check " + plain1, exitUsage, nil,
			[]string{"there are upstream, downstream"}},
		"no broker": {"component test --record # --out x --target tcp://127.0.0.1:1 " + plain1,
			exitUnreachable, nil, []string{"is the broker running?"}},
		"a fault": {record + " --force --count 1 " + hostile1, exitRefused, nil,
			[]string{"out of fuel"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, said, errs := local(t, words(c.args)...)
			if code != c.code || !containsAll(said, c.out) || !containsAll(errs, c.errs) {
				t.Errorf("exit %d: %s%s", code, said, errs)
			}
		})
	}
}

// TestNothingComes: who waits for messages in vain is told so in plain words.
func TestNothingComes(t *testing.T) {
	quiet := (&broker{}).start(t)
	gone := (&broker{ends: true, messages: []string{"a=1"}}).start(t)
	file := filepath.Join(t.TempDir(), "kept.json")
	for _, c := range []saying{
		{"component test --record d/# --for 50ms --out " + file + " --target " + quiet + " " +
			plain1, exitRefused, nil, []string{"hpmq-cli: no messages on d/# in 50ms\n"}},
		{"component run --filter # --target " + gone + " " + plain1, exitUnreachable,
			[]string{"a 1\n"}, []string{"hpmq-cli: the broker closed the connection"}},
		{"component test --record # --out " + file + " --target " + gone + " " + plain1,
			exitUnreachable, []string{"kept.json: 1 calls"}, []string{"the broker closed"}},
	} {
		code, out, errs := local(t, words(c.args)...)
		if code != c.code || !containsAll(out, c.out) || !containsAll(errs, c.errs) {
			t.Errorf("%s: exit %d: %s%s", c.args, code, out, errs)
		}
	}
	if all, err := cases.Load(file); err != nil || len(all[0].Calls) != 1 {
		t.Errorf("%v: %+v", err, all)
	}
}

// stopping is a reader of output that ends the command after the first line.
type stopping struct {
	strings.Builder
	stop context.CancelFunc
}

func (s *stopping) Write(b []byte) (int, error) {
	s.stop()
	return s.Builder.Write(b)
}

// TestRunIsStopped: a signal after messages is no error to tell.
func TestRunIsStopped(t *testing.T) {
	target := (&broker{messages: []string{"a=1"}}).start(t)
	ctx, stop := context.WithCancel(t.Context())
	var errs strings.Builder
	args := words("component run --filter # --target " + target + " " + plain1)
	out := &stopping{stop: stop}
	code := run(ctx, args, streams{strings.NewReader(""), out, &errs})
	if code != exitInterrupted || strings.Contains(errs.String(), "hpmq-cli:") ||
		!strings.Contains(out.String(), "a 1") {
		t.Errorf("exit %d: %s%s", code, out.String(), errs.String())
	}
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func TestBench(t *testing.T) {
	file := filepath.Join(t.TempDir(), "v.json")
	write(t, file, vendorCases)
	for name, c := range map[string]saying{
		"both": {"component bench --for 5ms " + router1, exitOK, []string{
			"router  route     core module  compiler", "router  share     core module  interpreter",
		}, nil},
		"cases": {"component bench --for 5ms --engine compiler " + json1 + " --cases " + file,
			exitOK,
			[]string{"transformer  upstream", "transformer  downstream"}, nil},
		"other cases": {"component bench --cases " + file + " " + router1, exitUsage, nil,
			[]string{"no call of router"}},
		"a codec without cases": {"component bench ../../../host/link/testdata/codec.wasm",
			exitUsage, nil, []string{"only the author", "golden cases"}},
		"a codec": {"component bench --engine compiler --for 5ms " + codecLines, exitOK,
			[]string{"codec  decode", "codec  encode"}, nil},
		"engine": {"component bench --engine jit " + router1, exitUsage, nil, []string{"jit"}},
		"payload": {"component bench --payload -1 " + router1, exitUsage, nil,
			[]string{"--payload"}},
		"trap": {"component bench --for 5ms " + hostile1, exitRefused, nil,
			[]string{"out of fuel"}},
	} {
		t.Run(name, c.check)
	}
	code, out, errs := local(t, "--json", "component", "bench", "--for", "5ms", router1)
	var got []measured
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK || len(got) != 4 ||
		got[0].Fuel < 100 || got[0].Fuel != got[2].Fuel || got[0].Allocations > 1 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
}

func TestRun(t *testing.T) {
	b := &broker{published: make(chan string, 9)}
	b.messages = []string{"a={}", "trap/x=1", "b=\x1b[2J"}
	at := " --filter # --count 3 --target " + b.start(t)
	narrow, wide := filepath.Join(t.TempDir(), "c.json"), tag(t)
	write(t, narrow, `"tag=new:;in=a;out=#;"`)
	for name, c := range map[string]saying{
		"printed": {"component run " + plain1 + at + " --config " + wide, exitOK, []string{
			"a {}\n  → a new:{}\n", "trap/x 1\n  → wasm: call", "unreachable", "b �[2J\n",
		}, nil},
		"not asked": {"component run " + plain1 + at + " --config " + narrow, exitOK,
			[]string{"→ not asked: no topic that it wants"}, nil},
		"as JSON": {"--json component run " + plain1 + at + " --config " + wide, exitOK,
			[]string{`[{"topic":"a","payload":"new:{}","qos":1}]`, `"error":"wasm: call`}, nil},
		"as a codec writes them": {"component run " + codecLines + at, exitOK,
			[]string{"a {}\n", `  → {"output":"MSG a {}\n"}`}, nil},
		"own messages": {"component run " + publisher + at, exitOK,
			[]string{"→ publishes a {}"}, nil},
		"no filter": {"component run " + plain1, exitUsage, nil, []string{"filter"}},
		"bad prefix": {"component run --publish-under a/# --filter # " + plain1, exitUsage, nil,
			[]string{"without + and #"}},
		"all below": {"component run --publish-under d --filter d/# " + plain1, exitUsage, nil,
			[]string{"name another prefix"}},
		"bad filter": {"component run --filter d/#/x " + plain1, exitUsage, nil,
			[]string{"no topic filter"}},
		"bad count": {"component run --filter # --count -1 " + plain1, exitUsage, nil,
			[]string{"--count"}},
		"bad target": {"component run --filter # --target x:y " + plain1, exitUsage, nil,
			[]string{"--target"}},
	} {
		t.Run(name, c.check)
	}
	if len(b.published) != 0 {
		t.Error("published without being asked to")
	}
	under := words("component run --publish-under try " + plain1 + at + " --config " + wide)
	if code, out, errs := local(t, under...); code != exitOK ||
		!strings.Contains(out, "→ a new:{}") || !strings.Contains(errs, "below try/ are left out") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if got := <-b.published; got != "try/a=new:{}" {
		t.Errorf("published %s", got)
	}
}

// TestWrapAndWIT runs all that needs wasm-tools, which takes seconds to compile.
func TestWrapAndWIT(t *testing.T) {
	dir := t.TempDir()
	made, none := filepath.Join(dir, "made.wasm"), filepath.Join(dir, "none.wasm")
	core, err := os.ReadFile(plain1)
	if err != nil {
		t.Fatal(err)
	}
	stamped := filepath.Join(dir, "stamped.wasm")
	write(t, stamped, string(section.WithCustom(core, section.Manifest,
		[]byte(`{"name":"vendor","version":"1.2.3","role":"transformer"}`))))
	for _, c := range []saying{
		{"component wrap " + stamped + " --world transformer-component -o " + made, exitOK,
			[]string{made}, nil},
		{"wit targets " + made + " --world transformer-component", exitOK,
			[]string{"fits world transformer-component of hpmq:broker@0.1.0"}, nil},
		{"wit targets " + made + " --world router-component", exitRefused, nil,
			[]string{"does not fit world router-component of hpmq:broker@0.1.0"}},
		{"--json wit targets " + plain1 + " --world w", exitUsage, []string{`"error": "`},
			[]string{"is a core module", "hpmq-cli component check"}},
		{"wit targets component.go --world w", exitUsage, nil, []string{"is no WebAssembly"}},
		{"wit json nofolder", exitUsage, nil, []string{"nofolder"}},
		{"component wrap " + plain1 + " --world router-component -o " + none, exitRefused, nil,
			[]string{"router"}},
		{"component wrap " + plain1 + " -o " + none, exitUsage, nil,
			[]string{"--world, of authenticator-component, authorizer-component"}},
		{"component wrap nowhere.wasm --world w", exitUsage, nil, []string{"no such file"}},
		{"component check " + made, exitOK, []string{
			"form      component", "name      vendor 1.2.3", "roles     tran",
		}, nil},
		{"wit bind --lang c --world router-component --out " + dir, exitOK,
			[]string{"router_component.h\n"}, nil},
		{"wit bind --lang assemblyscript --world router-component --out " + dir, exitOK,
			[]string{"router_component.ts\n", "router_component_exports.ts\n"}, nil},
		{"wit bind --lang cobol --world router-component", exitUsage, nil, []string{"cobol"}},
		{"wit bind --lang c --world x", exitUsage, nil, []string{"there are capabilities"}},
		{"wit json", exitOK, []string{`"authorizer-component"`}, nil},
		{"wit json " + dir, exitRefused, nil, []string{"wit"}},
	} {
		c.check(t)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a file is left of what was refused")
	}
}
