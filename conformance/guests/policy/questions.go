package policy

import (
	"math/rand/v2"
	"strings"
)

// Random is a question to one of the functions, made of what the rules look at, with the answer of
// the reference.
func Random(r *rand.Rand) Case {
	q := Question{
		ClientID: pick(r, "dev1", "dev2", "", "+", "a/b", "é\"\\\x02"),
		Username: pick(r, "", "", "", "alice", "admin"),
		QoS:      byte(r.IntN(3)), Retain: r.IntN(2) == 0,
	}
	call := pick(r, "authorize", "upstream", "upstream", "downstream")
	if call == "authorize" {
		q.Action = r.Uint32N(4)
		q.Topic = pick(r, "", "$", "#", "+", "devices", "public", "é") +
			pick(r, "/", "/", "x") +
			pick(r, "dev1", "dev2", "+", "", "é\"\\\x02") + pick(r, "/x", "")
		return Case{Call: call, Question: q, Verdict: Authorize(q)}
	}
	q.Topic = pick(r, "a", "é/b", "") + pick(r, "/raw", "/batch", "/x", "/secret", "/batch/x")
	if q.Topic == "" {
		q.Topic = "a"
	}
	var tokens []string
	switch {
	case strings.HasSuffix(q.Topic, "/raw"):
		tokens = []string{"a", "=", ";", "1", "0", "-", ".", "e", "E+", "\"", "\\", "\x00",
			"\xff", "é"}
	default:
		tokens = []string{"{", "}", "[", "]", ",", ":", "\"temp\"", "\"", "\\", " ", "\n", "1",
			"\"a\":{\"temp\":1}", "\"x\":", "\"s,}\"", "\xff"}
	}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(pick(r, tokens...))
	}
	q.Payload = []byte(wrap(r, b.String()))
	if call == "upstream" {
		return Case{Call: call, Question: q, Outcome: Upstream(q)}
	}
	return Case{Call: call, Question: q, Outcome: Downstream(q)}
}

// wrap makes of most payloads an object or a list.
func wrap(r *rand.Rand, s string) string {
	return pick(r, s, "{"+s+"}", " {"+s+"}\n", "["+s+"]", "[1,"+s+",{}]")
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
