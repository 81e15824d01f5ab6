package suite

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Opcodes of WebSocket frames (RFC 6455 section 5.2).
const (
	OpContinuation byte = 0x0
	OpText         byte = 0x1
	OpBinary       byte = 0x2
	OpClose        byte = 0x8
	OpPing         byte = 0x9
	OpPong         byte = 0xA
)

// headBytesMax bounds the response to an upgrade.
const headBytesMax = 64 << 10

// webSocket is the client's end of a WebSocket connection as a byte stream: a Write is one binary
// frame, a Read gives the payload of binary frames. It is no more than the suite needs, and written
// here so that it can also send what a client may not.
type webSocket struct {
	net.Conn
	r    *bufio.Reader
	left int64 // payload bytes of the current frame
	// protocol is the subprotocol that the server chose.
	protocol string
	pongs    []string // payloads, as they came
}

// Upgrade is an HTTP request that asks for a WebSocket.
type Upgrade struct {
	Path      string
	Protocols string
	Version   string
	Origin    string
}

// upgrade asks for the subprotocol mqtt at the path of the URL.
func upgrade(conn net.Conn, u *url.URL) (*webSocket, error) {
	_ = conn.SetDeadline(time.Now().Add(dialTimeout))
	ask := Upgrade{Path: u.RequestURI(), Protocols: "mqtt", Version: "13"}
	w, response, err := ask.do(conn, u.Host)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("suite: websocket: the server answers %s", response.Status)
	}
	_ = conn.SetDeadline(time.Time{})
	return w, nil
}

// do sends the request and reads the response.
func (a *Upgrade) do(conn net.Conn, host string) (*webSocket, *http.Response, error) {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	key := base64.StdEncoding.EncodeToString(nonce)
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n", a.Path, host)
	fmt.Fprintf(&b, "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n", key)
	for name, value := range map[string]string{"Sec-WebSocket-Version": a.Version,
		"Sec-WebSocket-Protocol": a.Protocols, "Origin": a.Origin} {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		return nil, nil, fmt.Errorf("suite: websocket: %w", err)
	}
	limit := &io.LimitedReader{R: conn, N: headBytesMax}
	w := &webSocket{Conn: conn, r: bufio.NewReader(limit)}
	response, err := http.ReadResponse(w.r, &http.Request{Method: http.MethodGet})
	limit.N = math.MaxInt64
	if err != nil {
		return nil, nil, fmt.Errorf("suite: websocket: %w", err)
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		want := base64.StdEncoding.EncodeToString(sum[:])
		if got := response.Header.Get("Sec-WebSocket-Accept"); got != want {
			return nil, nil, fmt.Errorf("suite: websocket: accept key %q, want %q", got, want)
		}
	}
	w.protocol = response.Header.Get("Sec-WebSocket-Protocol")
	return w, response, nil
}

// DialUpgrade opens the stream of a ws or wss target and asks for a WebSocket in the words of a.
// The Client is nil unless the server agreed. Protocol is the subprotocol that it chose.
func (t *T) DialUpgrade(a Upgrade) (c *Client, status int, protocol string) {
	conn, err := t.target.stream(t.ctx)
	if err != nil {
		t.lost(err)
	}
	stop := context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	defer stop()
	if a.Path == "" {
		a.Path = t.target.url.RequestURI()
	}
	t.Note("asks for a WebSocket: %+v", a)
	w, response, err := a.do(conn, t.target.url.Host)
	if err != nil {
		_ = conn.Close()
		t.Note("no WebSocket: %v", err)
		return nil, 0, ""
	}
	t.Note("the server answers %s, subprotocol %q", response.Status, w.protocol)
	if response.StatusCode != http.StatusSwitchingProtocols {
		_ = conn.Close()
		return nil, response.StatusCode, w.protocol
	}
	return t.adopt(w), response.StatusCode, w.protocol
}

// Write sends one binary frame.
func (w *webSocket) Write(p []byte) (int, error) {
	if _, err := w.Conn.Write(MaskedFrame(OpBinary, true, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// MaskedFrame is one WebSocket frame.
func MaskedFrame(op byte, fin bool, payload []byte) []byte {
	b := []byte{op, 0x80}
	if fin {
		b[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := [4]byte{0x37, 0xFA, 0x21, 0x3D}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i&3])
	}
	return b
}

// SendRaw writes below the WebSocket: bytes that are frames or pretend to be.
func (c *Client) SendRaw(b []byte) {
	c.t.Note("client %d sends below the WebSocket: % x", c.id, clip(b))
	w, ok := c.conn.(*webSocket)
	if !ok {
		c.t.Fatalf("client %d has no WebSocket", c.id)
	}
	_ = c.conn.SetWriteDeadline(c.t.deadline())
	_, _ = w.Conn.Write(b)
}

// Pongs are the payloads of the pongs that came so far, while packets were read.
func (c *Client) Pongs() []string {
	w, ok := c.conn.(*webSocket)
	if !ok {
		c.t.Fatalf("client %d has no WebSocket", c.id)
	}
	return w.pongs
}

// Read gives payload bytes of binary frames. Pings are answered. A close frame is the end; a text
// frame from a server of MQTT is an error [MQTT-6.0.0-1].
func (w *webSocket) Read(p []byte) (int, error) {
	for w.left == 0 {
		if err := w.header(); err != nil {
			return 0, err
		}
	}
	n, err := w.r.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	return n, err
}

// header reads the next frame's header, and all of a control frame.
func (w *webSocket) header() error {
	h, err := w.r.Peek(2)
	if err != nil {
		return err
	}
	long := map[byte]int{126: 2, 127: 8}[h[1]&0x7F]
	if h, err = w.r.Peek(2 + long); err != nil {
		return err
	}
	n := int64(h[1] & 0x7F)
	if long > 0 {
		n = 0
		for _, x := range h[2:] {
			n = n<<8 | int64(x)
		}
	}
	op, masked := h[0]&0x0F, h[1]&0x80 != 0
	switch {
	case masked:
		return fmt.Errorf("suite: websocket: a masked frame from the server")
	case h[0]&0x70 != 0:
		return fmt.Errorf("suite: websocket: reserved bits from the server")
	case op == OpBinary || op == OpContinuation:
		_, _ = w.r.Discard(2 + long)
		w.left = n
		return nil
	case n > 125:
		return fmt.Errorf("suite: websocket: frame with opcode %d, %d bytes", op, n)
	}
	return w.control(op, int(n))
}

func (w *webSocket) control(op byte, n int) error {
	b, err := w.r.Peek(2 + n)
	if err != nil {
		return err
	}
	payload := append([]byte(nil), b[2:]...)
	_, _ = w.r.Discard(2 + n)
	switch op {
	case OpClose:
		_, _ = w.Conn.Write(MaskedFrame(OpClose, true, payload))
		return io.EOF
	case OpPing:
		_, err = w.Conn.Write(MaskedFrame(OpPong, true, payload))
		return err
	case OpPong:
		w.pongs = append(w.pongs, string(payload))
		return nil
	}
	return fmt.Errorf("suite: websocket: frame with opcode %d from the server", op)
}
