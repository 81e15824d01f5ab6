package websocket

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

const goodAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
	"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
	"Sec-WebSocket-Protocol: mqtt\r\n\r\n"

// with is the good request with the first old replaced.
func with(old, new string) string {
	if !strings.Contains(goodRequest, old) {
		panic("no " + old + " in the request")
	}
	return strings.Replace(goodRequest, old, new, 1)
}

const (
	subprotocol = "Sec-WebSocket-Protocol: mqtt"
	version13   = "Sec-WebSocket-Version: 13"
	keyLine     = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

func TestUpgrades(t *testing.T) {
	old := strings.Replace(goodAnswer, ": mqtt", ": mqttv3.1", 1)
	for name, c := range map[string]struct{ request, want string }{
		"plain":         {goodRequest, goodAnswer},
		"query":         {with("/mqtt ", "/mqtt?token=a/b "), goodAnswer},
		"absolute path": {with("/mqtt ", "http://server.example.com/mqtt "), goodAnswer},
		"3.1":           {with(": mqtt", ": mqttv3.1"), old},
		"mqtt is best":  {with(": mqtt", ": mqttv3.1, mqtt"), goodAnswer},
		"repeated": {with(subprotocol, "Sec-WebSocket-Protocol: a\r\n"+subprotocol+"v3.1\r\n"+
			"sec-websocket-protocol: b ,mqtt"), goodAnswer},
		"names in any case": {strings.ReplaceAll(strings.ReplaceAll(goodRequest,
			"Upgrade: websocket", "UPGRADE: WebSocket"), "Connection:", "connection:"), goodAnswer},
		"connection list": {with("Connection: Upgrade", "Connection: keep-alive, upgrade"),
			goodAnswer},
		"connection twice": {with("Connection: Upgrade",
			"Connection: keep-alive\r\nConnection: Upgrade"), goodAnswer},
		"extension offered": {with(version13, version13+
			"\r\nSec-WebSocket-Extensions: permessage-deflate"), goodAnswer},
		"any origin": {with(version13, version13+"\r\nOrigin: https://x.example"), goodAnswer},
		"a long header": {with(version13, version13+"\r\nCookie: "+strings.Repeat("c", 7000)),
			goodAnswer},
	} {
		for seed := range uint64(3) {
			conn := rules(t).Conn()
			in := append([]byte(c.request), frame(0x82, "CONNECT")...)
			got := feed(&conn, cut(in, seed))
			if got != (said{"CONNECT", c.want, nil}) {
				t.Errorf("%s, cut %d: %v", name, seed, got)
			}
			if conn.part != nil {
				t.Errorf("%s, cut %d: keeps a buffer", name, seed)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		status  int
		text    string
	}{
		"MQTT":           {"\x10\x0c\x00\x04MQTT", 400, "no HTTP"},
		"TLS":            {"\x16\x03\x01", 400, "no HTTP"},
		"not HTTP":       {"HELLO\r\n\r\n", 400, "malformed"},
		"HTTP/1.0":       {with("HTTP/1.1", "HTTP/1.0"), 505, "HTTP/1.1"},
		"HTTP/2":         {"PRI * HTTP/2.0\r\n\r\n", 505, "HTTP/1.1"},
		"POST":           {with("GET", "POST"), 405, "GET"},
		"other path":     {with("/mqtt ", "/ "), 404, "path"},
		"longer path":    {with("/mqtt ", "/mqtt/ "), 404, "path"},
		"no host":        {with("Host: server.example.com\r\n", ""), 400, "Host"},
		"two hosts":      {with("Host: ", "Host: a\r\nHost: "), 400, "malformed"},
		"a body":         {with("Host:", "Content-Length: 3\r\nHost:"), 400, "body"},
		"a stream":       {with("Host:", "Transfer-Encoding: chunked\r\nHost:"), 400, "body"},
		"no upgrade":     {with("Upgrade: websocket\r\n", ""), 426, "Upgrade: websocket"},
		"other upgrade":  {with(": websocket", ": h2c"), 426, "Upgrade: websocket"},
		"no connection":  {with("Connection: Upgrade\r\n", ""), 400, "Connection"},
		"version 8":      {with(": 13", ": 8"), 426, "13"},
		"no version":     {with("Sec-WebSocket-Version: 13\r\n", ""), 426, "13"},
		"no key":         {with(keyLine, ""), 400, "Key"},
		"two keys":       {with(keyLine, keyLine+keyLine), 400, "Key"},
		"short key":      {with("dGhl", ""), 400, "Key"},
		"key not base64": {with("dGhl", "d!hl"), 400, "Key"},
		"no subprotocol": {with(subprotocol+"\r\n", ""), 400, "offer Sec-WebSocket-Protocol: mqtt"},
		"other subprotocol": {with(subprotocol, subprotocol+"v5"), 400,
			"offer Sec-WebSocket-Protocol: mqtt"},
		"too large": {with(version13, "Cookie: "+strings.Repeat("c", RequestBytesMax)), 431,
			"8192"},
		"endless": {with(version13, "Cookie: "+strings.Repeat("c", 3*RequestBytesMax)), 431,
			"8192"},
	} {
		for seed := range uint64(3) {
			conn := rules(t).Conn()
			got := feed(&conn, cut([]byte(c.request), seed))
			checkRefusal(t, name, got, c.status, c.text)
			if conn.part != nil || conn.Upgraded() {
				t.Errorf("%s: goes on after it was refused", name)
			}
			if b := conn.AppendClose(nil, CloseNormal); len(b) > 0 {
				t.Errorf("%s: after the refusal: %q", name, b)
			}
		}
	}
}

func checkRefusal(t *testing.T, name string, got said, status int, text string) {
	t.Helper()
	e, ok := got.err.(*Error)
	if !ok || e.Status != status || got.payload != "" {
		t.Errorf("%s: %v, payload %q", name, got.err, got.payload)
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got.answer)), nil)
	if err != nil {
		t.Errorf("%s: %v in %q", name, err, got.answer)
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !resp.Close ||
		!strings.Contains(string(body), text) {
		t.Errorf("%s: %q, %v", name, got.answer, err)
	}
	if status == 426 && resp.Header.Get("Sec-WebSocket-Version") != "13" {
		t.Errorf("%s: does not say which version: %q", name, got.answer)
	}
	if len(got.answer) > 512 {
		t.Errorf("%s: %d bytes of answer", name, len(got.answer))
	}
}

func TestOrigins(t *testing.T) {
	checkOrigins(t, []string{Loopback, "https://a.example"}, map[string]bool{
		"":                          true,
		"http://localhost":          true,
		"https://LocalHost:3000":    true,
		"http://127.0.0.1:8080":     true,
		"http://127.1.2.3":          true,
		"http://[::1]:5173":         true,
		"https://a.example":         true,
		"http://evil.example":       false,
		"http://localhost.evil":     false,
		"http://127.0.0.1.evil":     false,
		"http://127.0.0.1@evil.com": false,
		"http://192.0.2.1":          false,
		"null":                      false,
	})
	checkOrigins(t, []string{Loopback}, map[string]bool{
		"": true, "http://localhost": true, "http://evil.example": false,
	})
	named := []string{"https://a.example", "https://*.b.example", "http://c.example:8080"}
	checkOrigins(t, named, map[string]bool{
		"":                         true, // no browser
		"https://a.example":        true,
		"HTTPS://A.Example":        true,
		"https://a.example:443":    true,
		"https://x.b.example":      true,
		"http://c.example:8080":    true,
		"http://a.example":         false,
		"https://a.example:444":    false,
		"https://b.example":        false,
		"https://x.y.b.example":    false,
		"https://xb.example":       false,
		"http://c.example":         false,
		"https://a.example/":       false,
		"https://a.example.evil":   false,
		"https://evil@a.example":   false,
		"null":                     false,
		"https://*.b.example.evil": false,
		"http://localhost":         false,
	})
}

func checkOrigins(t *testing.T, origins []string, want map[string]bool) {
	t.Helper()
	r := rules(t, func(c *Config) { c.Origins = origins })
	for origin, ok := range want {
		line := ""
		if origin != "" {
			line = "\r\nOrigin: " + origin
		}
		conn := r.Conn()
		got := feed(&conn, [][]byte{[]byte(with(version13, version13+line))})
		if ok && got.answer != goodAnswer {
			t.Errorf("%q is refused: %q", origin, got.answer)
		}
		if !ok {
			checkRefusal(t, origin, got, 403, "Origin")
		}
	}
}

func TestConfigsThatAreNot(t *testing.T) {
	for _, c := range []Config{
		{Path: ""}, {Path: "mqtt"}, {Path: "/mqtt?a"}, {Path: "/a b"},
		{Path: "/", Origins: []string{"a.example"}},
		{Path: "/", Origins: []string{"https://a.example/page"}},
		{Path: "/", Origins: []string{"https://*"}},
		{Path: "/", Origins: []string{"https://a.*.example"}},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if c := Default(); c.Validate() != nil {
		t.Error("the default is not taken")
	}
}

func TestClosedBeforeTheRequest(t *testing.T) {
	conn := rules(t).Conn()
	feed(&conn, [][]byte{[]byte("GET /mq")})
	if b := conn.AppendClose(nil, CloseNormal); !strings.HasPrefix(string(b), "HTTP/1.1 408 ") {
		t.Errorf("%q", b)
	}
	if conn.part != nil {
		t.Error("keeps a buffer")
	}
}

func BenchmarkUpgrade(b *testing.B) {
	r := rules(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(goodRequest)))
	for b.Loop() {
		c := r.Conn()
		if _, _, _, err := c.Next([]byte(goodRequest), nil); err != nil {
			b.Fatal(err)
		}
	}
}
