package hop

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// question is what every way is asked, in every role, and the body of the webhook's request.
type question struct {
	ClientID, Username string
	Password           []byte
	Topic              string
	Payload            []byte
}

// native is the policy of testdata/hop.c as Go.
type native struct {
	last  uint32
	upper []byte
	line  []byte
}

// ask gives the answer as one word, "replace:" and the payload for that of a transformer.
func (n *native) ask(role string, q *question) []byte {
	switch role {
	case "authorizer":
		return n.authorize(q)
	case "transformer":
		return n.upstream(q)
	case "deduplicator":
		return n.check(q)
	case "router":
		if bytes.HasSuffix([]byte(q.Topic), alarm) {
			return toAll
		}
		return deliver
	case "worker":
		n.check(q)
		return told
	case "codec":
		return n.decode(q)
	}
	if q.Username == "alice" && string(q.Password) == "secret" {
		return allow
	}
	return deny
}

var (
	allow, deny     = []byte("allow"), []byte("deny")
	news, repeat    = []byte("news"), []byte("repeat")
	told, publishes = []byte("told"), []byte("publish:")
	deliver, toAll  = []byte("deliver"), []byte("send:alarms/all")
	alarm, space    = []byte("/alarm"), []byte(" ")
	replaceWord     = []byte("replace:")
)

func (n *native) authorize(q *question) []byte {
	const devices = "devices/"
	if len(q.Topic) < len(devices) || q.Topic[:len(devices)] != devices {
		return deny
	}
	rest := q.Topic[len(devices):]
	own := len(rest) > len(q.ClientID) && rest[:len(q.ClientID)] == q.ClientID
	if own && rest[len(q.ClientID)] == '/' {
		return allow
	}
	return deny
}

func (n *native) upstream(q *question) []byte {
	n.upper = append(append(n.upper[:0], replaceWord...), q.Payload...)
	for i, b := range n.upper[len(replaceWord):] {
		if b >= 'a' && b <= 'z' {
			n.upper[len(replaceWord)+i] -= 'a' - 'A'
		}
	}
	return n.upper
}

// decode takes a line, a topic and a payload.
func (n *native) decode(q *question) []byte {
	n.line = append(append(append(append(n.line[:0], q.Topic...), ' '), q.Payload...), '\n')
	end := bytes.IndexByte(n.line, '\n')
	topic, _, _ := bytes.Cut(n.line[:end], space)
	n.upper = append(append(n.upper[:0], publishes...), topic...)
	return n.upper
}

func (n *native) check(q *question) []byte {
	h := fnv.New32a()
	_, _ = h.Write(q.Payload) // a hash takes all
	was := n.last
	if n.last = h.Sum32(); n.last == was {
		return repeat
	}
	return news
}

// hook asks a server on loopback, which runs the policy as Go, by one connection that stays.
type hook struct {
	t      testing.TB
	client *http.Client
	url    string
}

func newHook(t testing.TB) *hook {
	t.Helper()
	var n native
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(n.ask(r.URL.Path[1:], &q)) // a client that is gone fails the test itself
	}))
	t.Cleanup(s.Close)
	return &hook{t: t, client: s.Client(), url: s.URL + "/"}
}

func (h *hook) ask(role string, q *question) []byte {
	body, err := json.Marshal(q)
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := h.client.Post(h.url+role, "application/json", bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		h.t.Fatalf("webhook: %s %s, %v", res.Status, answer, err)
	}
	return answer
}
