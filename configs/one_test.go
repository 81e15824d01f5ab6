package configs

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseListener(t *testing.T) {
	base := DefaultListener("lab", "", DefaultLimits())
	l, err := ParseListener([]byte(`{"bind": "tls://:1", "tls": {"certificates":
		[{"certificate": "/a", "key": "/b"}]}, "limits": {"qos_max": 1}, "link": {"router": []}}`),
		base)
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "lab" || l.Limits.QoSMax != 1 || l.Limits.ReceiveMax != base.Limits.ReceiveMax ||
		l.Secure.HandshakesMax != 256 || len(l.Link.Router) != 0 || len(l.Link.Authenticator) != 1 {
		t.Errorf("%+v", l)
	}
	// A change leaves the rest, and null takes a section away.
	next, err := ParseListener([]byte("tls: {min_version: 1.3}\n"), l)
	if err != nil || next.Secure.MinVersion != "1.3" || len(next.Secure.Certificates) != 1 ||
		l.Secure.MinVersion != "1.2" {
		t.Errorf("%+v, %v", next.Secure, err)
	}
	next, err = ParseListener([]byte("bind: tcp://:1\ntls: null\n"), l)
	if err != nil || next.Secure != nil || !reflect.DeepEqual(next.Link, l.Link) {
		t.Errorf("%+v, %v", next, err)
	}
}

func TestParseListenerNamesFaults(t *testing.T) {
	base := DefaultListener("lab", "tcp://:1", DefaultLimits())
	for text, want := range map[string]string{
		"binds: x":                            `binds: unknown key; did you mean "bind"?`,
		"limits: {qos_max: 3}":                "limits.qos_max: 3 is out of range",
		"bind: ws://:1\nwebsocket: {path: x}": "websocket.path: \"x\" must begin with /",
		"[]":                                  "must be a mapping",
		"{":                                   "did not find",
		"tls: {}":                             "tls: is for tls:// and wss://",
	} {
		if _, err := ParseListener([]byte(text), base); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: no %q in %v", text, want, err)
		}
	}
	l := base
	l.Secure = &Secure{Certificates: []Certificate{{"a", "/b"}}}
	if err := l.Foreign(&base); err == nil || !strings.Contains(err.Error(), "absolute") {
		t.Errorf("%v", err)
	}
}
