package websocket

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// acceptSalt is what a server adds to the client's key (RFC 6455, 1.3).
const acceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// keyBytes is how long the client's key is before base64.
const keyBytes = 16

// Subprotocols in the order a server prefers them: what the standard asks for [MQTT-6.0.0-3], and
// what clients of 3.1 sent before there was one.
const (
	protocol   = "mqtt"
	protocol31 = "mqttv3.1"
)

var (
	requestEnd = []byte("\r\n\r\n")

	errEarly   = refusal(http.StatusRequestTimeout, "closed before a WebSocket request was whole")
	errNotHTTP = refusal(http.StatusBadRequest,
		"this is no HTTP: connect with WebSocket, or use a tcp or tls listener")
	errRequest = refusal(http.StatusBadRequest, "malformed HTTP request")
	errLarge   = refusal(http.StatusRequestHeaderFieldsTooLarge,
		"send an HTTP request of at most "+strconv.Itoa(RequestBytesMax)+" bytes")
	errVersion = refusal(http.StatusHTTPVersionNotSupported, "use HTTP/1.1")
	errMethod  = refusal(http.StatusMethodNotAllowed, "use GET")
	errBody    = refusal(http.StatusBadRequest, "send no body with the request")
	errHost    = refusal(http.StatusBadRequest, "send one Host header")
	errPath    = refusal(http.StatusNotFound, "MQTT is not at this path")
	errUpgrade = refusal(http.StatusUpgradeRequired,
		"this is MQTT over WebSocket: send Upgrade: websocket")
	errConnection = refusal(http.StatusBadRequest, "send Connection: Upgrade")
	errWSVersion  = refusal(http.StatusUpgradeRequired, "send Sec-WebSocket-Version: 13")
	errKey        = refusal(http.StatusBadRequest,
		"send one Sec-WebSocket-Key of 16 bytes in base64")
	errOrigin      = refusal(http.StatusForbidden, "this Origin is not allowed here")
	errSubprotocol = refusal(http.StatusBadRequest, "offer Sec-WebSocket-Protocol: mqtt")
)

func refusal(status int, text string) *Error { return &Error{Status: status, text: text} }

// upgrade takes raw up to the end of the HTTP request and answers it.
func (c *Conn) upgrade(raw, answer []byte) (rest, out []byte, err error) {
	whole, rest, bad := c.gather(raw)
	if bad == nil && whole == nil {
		return nil, answer, nil
	}
	c.part = nil
	if bad == nil {
		var reply []byte
		if reply, bad = c.rules.judge(whole); bad == nil {
			c.phase = between
			c.flags |= upgraded
			return rest, append(answer, reply...), nil
		}
	}
	out, err = refuse(answer, bad)
	return nil, out, err
}

// gather answers the request once it is whole, and what raw has after it. A request in one piece is
// not copied.
func (c *Conn) gather(raw []byte) (whole, rest []byte, bad *Error) {
	if c.part == nil && (raw[0] < 'A' || raw[0] > 'Z') {
		return nil, nil, errNotHTTP
	}
	have, all := 0, raw
	if c.part != nil {
		have = len(c.part.b)
		c.part.b = append(c.part.b, raw[:min(len(raw), RequestBytesMax+1-have)]...)
		all = c.part.b
	}
	from := max(0, have-len(requestEnd)+1)
	i := bytes.Index(all[from:min(len(all), RequestBytesMax)], requestEnd)
	if i >= 0 {
		n := from + i + len(requestEnd)
		return all[:n], raw[n-have:], nil
	}
	if len(all) >= RequestBytesMax {
		return nil, nil, errLarge
	}
	if c.part == nil {
		c.part = &part{bytes.Clone(raw)}
	}
	return nil, nil, nil
}

// judge reads a whole request and answers the 101, or what is wrong with it.
func (r *Rules) judge(whole []byte) ([]byte, *Error) {
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(whole)))
	if err != nil {
		return nil, errRequest
	}
	if bad := r.judgeRequest(q); bad != nil {
		return nil, bad
	}
	key, bad := judgeHeaders(q.Header)
	if bad != nil {
		return nil, bad
	}
	if !r.originAllowed(q.Header["Origin"]) {
		return nil, errOrigin
	}
	chosen := choose(q.Header)
	if chosen == "" {
		return nil, errSubprotocol
	}
	return []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept(key) +
		"\r\nSec-WebSocket-Protocol: " + chosen + "\r\n\r\n"), nil
}

// judgeRequest looks at what every HTTP request has.
func (r *Rules) judgeRequest(q *http.Request) *Error {
	switch {
	case q.ProtoMajor != 1 || q.ProtoMinor != 1:
		return errVersion
	case q.Method != http.MethodGet:
		return errMethod
	case q.Host == "":
		return errHost
	case q.ContentLength != 0 || len(q.TransferEncoding) > 0:
		return errBody
	case q.URL.Path != r.path:
		return errPath
	}
	return nil
}

// judgeHeaders looks at what makes a request one for WebSocket, and answers the client's key.
func judgeHeaders(h http.Header) (key string, bad *Error) {
	keys := h["Sec-Websocket-Key"]
	switch {
	case !has(h["Upgrade"], "websocket"):
		return "", errUpgrade
	case !has(h["Connection"], "upgrade"):
		return "", errConnection
	case len(h["Sec-Websocket-Version"]) != 1 || h["Sec-Websocket-Version"][0] != "13":
		return "", errWSVersion
	case len(keys) != 1:
		return "", errKey
	}
	b, err := base64.StdEncoding.Strict().DecodeString(keys[0])
	if err != nil || len(b) != keyBytes {
		return "", errKey
	}
	return keys[0], nil
}

// has looks for a word, in any case, in the comma lists of a header that may be repeated.
func has(values []string, word string) bool {
	for _, v := range values {
		for w := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(w), word) {
				return true
			}
		}
	}
	return false
}

// choose answers the subprotocol, empty if the client offers none of ours [MQTT-6.0.0-3],
// [MQTT-6.0.0-4].
func choose(h http.Header) string {
	chosen := ""
	for _, v := range h["Sec-Websocket-Protocol"] {
		for w := range strings.SplitSeq(v, ",") {
			switch strings.TrimSpace(w) {
			case protocol:
				return protocol
			case protocol31:
				chosen = protocol31
			}
		}
	}
	return chosen
}

func accept(key string) string {
	sum := sha1.Sum([]byte(key + acceptSalt))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// refuse appends the HTTP answer to a request that is not taken.
func refuse(dst []byte, e *Error) ([]byte, error) {
	s := "HTTP/1.1 " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status) + "\r\n"
	switch e.Status {
	case http.StatusUpgradeRequired:
		s += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	case http.StatusMethodNotAllowed:
		s += "Allow: GET\r\n"
	}
	body := e.text + "\n"
	return append(dst, s+"Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"+
		"Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body...), e
}
