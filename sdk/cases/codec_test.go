package cases

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestACodecsWordsGoThereAndBack: what is read is written the same again.
func TestACodecsWordsGoThereAndBack(t *testing.T) {
	for _, text := range []string{
		`{"call":"encode","event":"pong","answer":{}}`,
		`{"call":"encode","event":{"connected":{"reason-code":135,"client-id":"d"}},"answer":{}}`,
		`{"call":"encode","event":{"deliver":{"topic":"a","payload":{"hex":"ff"},"qos":1,` +
			`"id":7}},"answer":{}}`,
		`{"call":"encode","event":{"subscribed":{"id":3,"reason-code":1}},"answer":{}}`,
		`{"call":"encode","event":{"disconnected":142},"answer":{}}`,
		`{"call":"decode","state":"","input":{"hex":"00ff"},"answer":{}}`,
	} {
		all, err := Parse("x", []byte(`{"about":"x","calls":[`+text+`]}`))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		back, err := json.Marshal(all[0].Calls[0])
		if err != nil || string(back) != text {
			t.Errorf("got %s, %v\nwant %s", back, err, text)
		}
	}
	const answer = `{"state":{"hex":"ff"},"consumed":3,"requests":[{"connect":{"client-id":"d",` +
		`"username":"u","password":{"hex":"00ff"},"will":{"topic":"w","payload":"x"}}},` +
		`{"publish":{"topic":"a","payload":"1","id":2}},{"subscribe":{"filter":"#","qos":2}},` +
		`{"unsubscribe":{"filter":"#","id":1}},{"received":0},"ping","disconnect"],` +
		`"output":"x","close":""}`
	var d Decoded
	if err := strictly([]byte(answer), &d); err != nil {
		t.Fatal(err)
	}
	if back, err := Text(d); err != nil || string(back) != answer {
		t.Errorf("got %s, %v", back, err)
	}
}

func TestWrongWordsOfACodecAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"call":"encode"}`:                                                  `no "event"`,
		`{"call":"encode","event":"ping"}`:                                   `no case "ping"`,
		`{"call":"encode","event":{}}`:                                       "one case",
		`{"call":"encode","event":{"pong":{}}}`:                              "unknown field",
		`{"call":"encode","event":{"deliver":{"topik":1}}}`:                  "unknown field",
		`{"call":"encode","event":{"deliver":{"topic":"a"},"published":{}}}`: "one case",
	} {
		_, err := Parse("x", []byte(`{"about":"x","calls":[`+text+`]}`))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func TestACodecsAnswersAgree(t *testing.T) {
	const got = `{"state":"s","consumed":3,"requests":["ping"],"output":"o"}`
	for want, same := range map[string]bool{
		`{"requests":["ping"],"output":"o"}`:                      true,
		`{"requests":["ping"],"output":{"hex":"6f"},"state":"s"}`: true,
		`{"requests":["ping"],"output":"o","consumed":2}`:         false,
		`{"requests":["ping"],"output":"o","state":"t"}`:          false,
		`{"output":"o"}`:        false,
		`{"requests":["ping"]}`: false,
		`{"requests":["ping"],"output":"o","close":"x"}`:        false,
		`{"requests":["disconnect"],"output":"o"}`:              false,
		`{"requests":[{"publish":{"topic":"a"}}],"output":"o"}`: false,
	} {
		ok, err := Agree("decode", json.RawMessage(got), json.RawMessage(want))
		if err != nil || ok != same {
			t.Errorf("%s: %v, %v", want, ok, err)
		}
	}
	if _, err := Agree("encode", []byte(`{}`), []byte(`{"requests":[]}`)); err == nil {
		t.Error("an encode has requests")
	}
}
