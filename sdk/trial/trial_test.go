package trial

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
)

// open keeps compiled code in TEST_CACHE_HPMQ, if that is set: under the race detector compiling is
// most of the time.
func open(t *testing.T, cfg Config) *Trial {
	t.Helper()
	if dir := os.Getenv("TEST_CACHE_HPMQ"); dir != "" && cfg.CacheDir == "" {
		cfg.CacheDir = filepath.Join(dir, "trial")
	}
	tr, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// subject is a default component, with all that can be granted.
func subject(t *testing.T, tr *Trial, name string) Subject {
	t.Helper()
	code, ok := components.Default(name)
	if !ok {
		t.Fatalf("no component %s", name)
	}
	in, err := tr.Inspect(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	ref := link.Ref{Use: name, Code: code, Grants: Grantable()}
	return Subject{Ref: ref, Roles: in.Roles}
}

func hold(t *testing.T, tr *Trial, s Subject, text string) Outcome {
	t.Helper()
	all, err := cases.Parse("x.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := tr.Hold(t.Context(), s, &all[0])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTheDefaultComponentsPass: their golden cases, which are run elsewhere by code that shares
// nothing with the links.
func TestTheDefaultComponentsPass(t *testing.T) {
	tr := open(t, Config{})
	for _, name := range append(components.Names(), components.Further()...) {
		s := subject(t, tr, name)
		all, err := cases.Load(filepath.Join("../../components", name, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			out, err := tr.Hold(t.Context(), s, &all[i])
			if err != nil || len(out.Failures) > 0 || out.Calls > 0 && out.FuelMax == 0 {
				t.Errorf("%s %s: %v: %+v", name, all[i].Name, err, out)
			}
		}
	}
}

func TestWhatIsWrongFails(t *testing.T) {
	tr := open(t, Config{})
	s := subject(t, tr, "transformer-json")
	const good = `"config":{"rules":[{"filter":"a","steps":[{"const":{"u":1}}]}]},`
	for text, says := range map[string]string{
		`{"about":"x",` + good + `"calls":[{"call":"upstream","topic":"a","payload":"{}",
			"answer":"keep"}]}`: `[{"topic":"a","payload":"{\"u\":1}"}]`,
		`{"about":"x",` + good + `"inbound":["b"]}`:             `inbound`,
		`{"about":"x",` + good + `"error":"no"}`:                `configure`,
		`{"about":"x","config":{"rulez":[]}}`:                   `rulez`,
		`{"about":"x","config":{"rulez":[]},"error":"another"}`: `another`,
		`{"about":"x",` + good + `"calls":[{"call":"upstream","topic":"a","answer":"keep",
			"published":[{"topic":"t","payload":"p"}]}]}`: `publishes`,
	} {
		out := hold(t, tr, s, text)
		what, err := json.Marshal(out.Failures)
		if err != nil || len(out.Failures) != 1 {
			t.Errorf("%s: %v: %s", text, err, what)
			continue
		}
		if all := out.Failures[0]; !strings.Contains(all.What+all.Got+all.Want, says) {
			t.Errorf("%s:\n got %+v\nwant %s", text, all, says)
		}
	}
	all, err := cases.Parse("x", []byte(`{"about":"x","calls":[{"call":"check","topic":"a",
		"answer":"news"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Hold(t.Context(), s, &all[0]); err == nil {
		t.Error("a transformer is asked what it has no function for")
	}
}

// TestCasesDoNotMeet: what one case left in kv the next does not see, and time passes as it says.
func TestCasesDoNotMeet(t *testing.T) {
	tr := open(t, Config{})
	s := subject(t, tr, "deduplicator-window")
	const text = `{"about":"x","config":{"rules":[{"window_ms":1000}]},"calls":[
		{"call":"check","topic":"a","payload":"1","answer":"news"},
		{"call":"check","topic":"a","payload":"1","wait_ms":999,"answer":"repeated"},
		{"call":"check","topic":"a","payload":"1","wait_ms":2000,"answer":"news"}]}`
	for range 2 {
		if out := hold(t, tr, s, text); len(out.Failures) > 0 {
			t.Errorf("%+v", out)
		}
	}
}

func TestBench(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		tr := open(t, Config{Interpreter: interpreter})
		s := subject(t, tr, "router-rules")
		p, err := tr.Probe(t.Context(), link.RoleRouter, s.Ref)
		if err != nil {
			t.Fatal(err)
		}
		q := QuestionOf(&cases.Call{Function: "route", Topic: cases.Bytes("a/b"),
			Who: &cases.Who{ClientID: "d"}})
		m, err := tr.Bench(t.Context(), p, []link.Question{q}, 20*time.Millisecond)
		p.Close()
		if err != nil || m.Calls < batch || m.Nanoseconds <= 0 || m.Fuel < 100 ||
			m.MemoryBytes == 0 || m.Allocations > 20 {
			t.Errorf("%v: %+v", err, m)
		}
	}
}

// TestAWorkerIsTold: by the guest of the links' own tests, whose configuration is words.
func TestAWorkerIsTold(t *testing.T) {
	tr := open(t, Config{})
	code, err := os.ReadFile("../../host/link/testdata/worker.wasm")
	if err != nil {
		t.Fatal(err)
	}
	s := Subject{
		Ref:   link.Ref{Use: "w", Code: code, Grants: Grantable()},
		Roles: []link.Role{link.RoleWorker},
	}
	out := hold(t, tr, s, `{"about":"x","config":"every=250;","calls":[
		{"call":"on-timer","answer":250,"published":[{"topic":"timer","payload":""}]},
		{"call":"on-message","topic":"a","payload":"1",
			"published":[{"topic":"told","payload":"1"}]},
		{"call":"on-client","who":{"client-id":"d"},"action":"disconnected","answer":"told",
			"published":[{"topic":"went","payload":"d"}]},
		{"call":"on-stop","published":[{"topic":"stopped","payload":""}]}]}`)
	if len(out.Failures) > 0 || out.Calls != 4 {
		t.Errorf("%+v", out)
	}
	if out = hold(t, tr, s, `{"about":"x","calls":[{"call":"on-timer","answer":9}]}`); len(
		out.Failures) != 1 {
		t.Errorf("%+v", out)
	}
}

// TestAComponentLooksBack: golden cases have a message log, page by page, by filter, time and fate.
func TestAComponentLooksBack(t *testing.T) {
	tr := open(t, Config{})
	for _, form := range []string{"", "components/"} {
		code, err := os.ReadFile("../../host/link/testdata/" + form + "worker-history.wasm")
		if err != nil {
			t.Fatal(err)
		}
		s := Subject{
			Ref:   link.Ref{Use: "w", Code: code, Grants: Grantable()},
			Roles: []link.Role{link.RoleWorker},
		}
		out := hold(t, tr, s, lookCases)
		if len(out.Failures) > 0 || out.Calls != 3 {
			t.Errorf("%s: %+v", form, out)
		}
		out = hold(t, tr, s, `{"about":"newest first","config":"look=a/#;newest;","calls":[
			{"call":"on-message","topic":"x","logged":[{"topic":"a/1"},{"topic":"b"},
				{"topic":"a/2"},{"topic":"a/3","time":5}],
				"published":[{"topic":"seen","payload":"0  a/3 "},
					{"topic":"seen","payload":"0  a/2 "},{"topic":"page"},
					{"topic":"seen","payload":"0  a/1 "},{"topic":"page"},{"topic":"over"}]}]}`)
		if len(out.Failures) > 0 {
			t.Errorf("%s: %+v", form, out)
		}
		out = hold(t, tr, s, `{"about":"no filter","config":"look=a/#/b;","calls":[
			{"call":"on-message","topic":"x","published":[{"topic":"failed","payload":"2"}]}]}`)
		if len(out.Failures) > 0 {
			t.Errorf("%s: %+v", form, out)
		}
	}
}

// lookCases hold a worker that tells what it sees in pages of two.
const lookCases = `{"about":"oldest first","config":"look=a/+;since=1000;max=2;","calls":[
	{"call":"on-message","topic":"x","published":[{"topic":"failed","payload":"1"}]},
	{"call":"on-message","topic":"x","logged":[],
		"published":[{"topic":"page"},{"topic":"over"}]},
	{"call":"on-message","topic":"x","logged":[
			{"time":999,"topic":"a/0","payload":"too old"},
			{"time":1000,"client-id":"dev","topic":"a/1","payload":"one"},
			{"topic":"b/1","payload":"of another topic"},
			{"topic":"a/2","payload":"two","fate":"suppressed"},
			{"topic":"a/3","payload":"three","fate":"denied"}],
		"published":[{"topic":"seen","payload":"0 dev a/1 one"},
			{"topic":"seen","payload":"1  a/2 two"},{"topic":"page"},
			{"topic":"seen","payload":"3  a/3 three"},{"topic":"page"},{"topic":"over"}]}]}`

// TestWhatIsPublishedIsSeen: also when the queue was full meanwhile.
func TestWhatIsPublishedIsSeen(t *testing.T) {
	tr := open(t, Config{})
	code, err := os.ReadFile("../../host/link/testdata/transformer-publish.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ref := link.Ref{Use: "p", Code: code, Grants: Grantable()}
	s := Subject{Ref: ref, Roles: []link.Role{link.RoleTransformer}}
	out := hold(t, tr, s, `{"about":"x","calls":[{"call":"upstream","topic":"a","payload":"1",
		"answer":"keep","published":[{"topic":"a","payload":"1"}]}]}`)
	if len(out.Failures) > 0 {
		t.Errorf("%+v", out)
	}
	p, err := tr.Probe(t.Context(), link.RoleTransformer, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var a link.Answer
	const many = 5000
	for range many {
		q := link.Question{Function: "upstream", Topic: []byte("a"), Payload: []byte("x")}
		if err := p.Ask(&q, &a); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tr.Published()); n != publish.Default().QueueMessagesMax {
		t.Errorf("%d messages", n)
	}
	if n := len(tr.Published()); n != 0 {
		t.Errorf("%d messages again", n)
	}
}

// TestACodecIsHeldToItsCases: what is wrong with an answer is seen, and the state goes on from call
// to call unless a call has its own.
func TestACodecIsHeldToItsCases(t *testing.T) {
	tr := open(t, Config{})
	s := subject(t, tr, "codec-lines")
	for text, failures := range map[string]int{
		`{"call":"decode","input":"CONNECT d\n","answer":{"requests":[
			{"connect":{"client-id":"d","clean-start":true}}]}},
		 {"call":"decode","input":"PUB a b\n","answer":{"requests":[
			{"publish":{"topic":"a","payload":"b","id":2}}]}}`: 0,
		`{"call":"decode","input":"CONNECT d\n","answer":{"requests":[
			{"connect":{"client-id":"d","clean-start":true}}]}},
		 {"call":"decode","state":"","input":"PING\n","answer":{"requests":["ping"]}},
		 {"call":"decode","input":"PUB a b\n","answer":{"output":"ERR 2 CONNECT first\n"}}`: 0,
		`{"call":"decode","input":"PING\n","answer":{"requests":["disconnect"]}}`:         1,
		`{"call":"decode","input":"PING\nX","answer":{"requests":["ping"],"consumed":6}}`: 1,
		`{"call":"encode","event":"pong","answer":{"output":"PONG"}}`:                     1,
		`{"call":"encode","event":"pong","answer":{"output":"PONG\n","wait":true}}`:       1,
	} {
		out := hold(t, tr, s, `{"about":"x","calls":[`+text+`]}`)
		if len(out.Failures) != failures {
			t.Errorf("%s: %+v", text, out.Failures)
		}
	}
}
