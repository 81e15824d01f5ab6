package cases

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAllCasesOfTheHouseAreRead: those of the default components, and those of the policy that is
// written in every language.
func TestAllCasesOfTheHouseAreRead(t *testing.T) {
	folders, err := filepath.Glob("../../components/*/testdata")
	if err != nil || len(folders) < 5 {
		t.Fatalf("%v: %v", folders, err)
	}
	for _, path := range append(folders, "../../conformance/guests/policy/cases.json") {
		all, err := Load(path)
		if err != nil {
			t.Error(err)
		}
		for i := range all {
			normalCalls(t, &all[i])
		}
	}
}

func normalCalls(t *testing.T, c *Case) {
	for _, call := range c.Calls {
		if _, err := normal(call.Function, call.Answer); err != nil {
			t.Errorf("%s: %s: %v", c.Name, call.Answer, err)
		}
	}
}

func TestAListIsGrouped(t *testing.T) {
	all, err := Parse("x.json", []byte(`[
	  {"about": "a", "call": "configure", "config": "{\"x\":1}", "answer": "no"},
	  {"about": "b", "call": "upstream", "client-id": "d", "topic": "t", "answer": "keep"},
	  {"about": "c", "call": "upstream", "topic": ["t", {"repeat": "/u", "times": 2}],
	   "answer": [{"topic": "t", "payload": ""}]},
	  {"about": "d", "call": "check", "config": "{}", "topic": "t", "answer": "news"},
	  {"about": "e", "call": "share", "group": "g", "filter": "f", "answer": "sticky"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 || all[0].Error != "no" || string(all[0].Config) != `{"x":1}` {
		t.Fatalf("got %+v", all)
	}
	two := all[1].Calls
	if len(two) != 2 || two[0].Who.ClientID != "d" || string(two[1].Topic) != "t/u/u" ||
		all[2].Name != "x.json[3]" || len(all[3].Calls) != 1 {
		t.Errorf("got %+v", all)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for text, says := range map[string]string{
		`{"about": "x", "cals": []}`:                "cals",
		`{"calls": []}`:                             "about",
		`{"about": "x", "calls": []}`:               "asks nothing",
		`{"about": "x", "config": {}, "calls": []}`: "asks nothing",
		`[]`: "no case in it",
		`{"about": "x", "calls": [{"call": "upstream"}]}`:                  "call 0: no \"answer\"",
		`[{"about": "x", "call": "check"}]`:                                "entry 0: call 0: no",
		`{"about": "x", "calls": [{"call": "upstreem"}]}`:                  "upstreem",
		`{"about": "x", "calls": [{"call": "check", "qos": 3}]}`:           "qos",
		`{"about": "x", "calls": [{"call": "authorize"}]}`:                 "action",
		`{"about": "x"} {}`:                                                "more behind",
		`[{"call": "configure", "answer": 1}]`:                             "entry 0",
		`[{"about": "x", "call": "share", "topic": {"hex": "0"}}]`:         "hex",
		`[{"call": "check", "topic": {"repeat": "xx", "times": 9999999}}]`: "more than",
		`[{"call": "check", "topic": [[[[[[[[["x"]]]]]]]]]}]`:              "too deep",
		`[{"call": "check", "topic": 7}]`:                                  "bytes are",
	} {
		_, err := Parse("x", []byte(text))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// TestABrokenAnswerIsOfTheFile: what a function cannot answer is no answer that a component misses.
func TestABrokenAnswerIsOfTheFile(t *testing.T) {
	for function, wants := range map[string][]string{
		"upstream":     {`42`, `"kep"`, `null`, `[{"topik": "t"}]`, `{}`},
		"check":        {`7`, `"keep"`, `[]`},
		"route":        {`42`, `{"rich": "all"}`},
		"on-timer":     {`"soon"`, `-1`, `{}`},
		"authenticate": {`true`, `{"alow": {}}`},
		"decode":       {`"keep"`, `{"requests": [{"ping": 1}]}`},
		"on-stop":      {`"ok"`},
	} {
		for _, want := range wants {
			text := `{"about":"x","calls":[{"call":"` + function + `","answer":` + want + `}]}`
			_, err := Parse("x", []byte(text))
			if err == nil || !strings.Contains(err.Error(), "call 0: ") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	const published = `{"about":"x","calls":[{"call":"on-stop","published":"keep"}]}`
	if _, err := Parse("x", []byte(published)); err == nil {
		t.Errorf("%s is read", published)
	}
}

func TestAgree(t *testing.T) {
	deny := byte(0x87)
	got := func(v any) json.RawMessage {
		text, err := Text(v)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	allow := got(Decision{Decision: "allow", Scope: "topic", Seconds: 60})
	raw := got([]Message{{Topic: Bytes("t"), Payload: Bytes{0xff, 0}}})
	for _, c := range []struct {
		function string
		got      json.RawMessage
		want     string
		agree    bool
	}{
		{"authorize", allow, `["allow", "topic", 60]`, true},
		{"authorize", allow, `["allow", "topic", 61]`, false},
		{"authorize", allow, `{"decision":"allow","seconds":60,"scope":"topic"}`, true},
		{"authorize", allow, `"allow"`, true},
		{"authorize", allow, `"deny"`, false},
		{"authorize", got(Decision{Decision: 0x87, Scope: "once"}), `"deny"`, true},
		{"authorize", got(Decision{Decision: 0x87, Scope: "once"}), `[135, "once", 0]`, true},
		{"upstream", raw, `[{"topic": "t", "payload": {"hex": "FF00"}}]`, true},
		{"upstream", raw, `[{"topic": "t", "payload": {"hex": "ff"}}]`, false},
		{"upstream", raw, `"replace"`, true},
		{"upstream", got("keep"), `"keep"`, true},
		{"upstream", got("keep"), `"drop"`, false},
		{"route", got(Route{Redirect: Bytes("b"), Reach: "region"}), `"send"`, true},
		{"route", got(Route{Redirect: Bytes("b"), Reach: "region"}),
			`{"reach":"region","redirect":"b"}`, true},
		{"authenticate", got(Verdict{Deny: &deny, Text: "x"}), `{"deny":135,"text":"x"}`, true},
		{"authenticate", got(Verdict{Deny: &deny}), `"deny"`, true},
		{"authenticate", got(Verdict{Allow: &Grant{}}), `"deny"`, false},
		{"check", got("news"), `"repeated"`, false},
	} {
		agree, err := Agree(c.function, c.got, json.RawMessage(c.want))
		if err != nil || agree != c.agree {
			t.Errorf("%s and %s: %v, %v", c.got, c.want, agree, err)
		}
	}
	for function, want := range map[string]string{
		"upstream": `[{"topik": "t"}]`, "authorize": `["allow"]`, "route": `7`, "check": `x`,
	} {
		if _, err := Agree(function, allow, json.RawMessage(want)); err == nil {
			t.Errorf("%s %s is no answer", function, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"about":"a","call":"upstream","topic":["t",{"hex":"00"}],"answer":"keep"}]`))
	f.Add([]byte(`{"about":"a","config":{},"calls":[{"call":"share","answer":"sticky"}]}`))
	f.Add([]byte(`{"about":"a","calls":[{"call":"route","topic":{"repeat":"x","times":3},` +
		`"answer":"drop"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := Parse("x", text)
		if err != nil {
			return
		}
		for _, c := range all {
			again, err := json.Marshal(c)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if _, err := Parse("x", again); err != nil {
				t.Fatalf("%s\nis written as %s\n%v", text, again, err)
			}
		}
	})
}
