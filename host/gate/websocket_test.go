package gate

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const wsRequest = "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Protocol: mqtt\r\n\r\n"

// wsFrame is a frame as a client sends it, of at most 64 KiB.
func wsFrame(first byte, payload []byte) []byte {
	mask := []byte{1, 2, 3, 4}
	b := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		b = []byte{first, 0xFE, byte(len(payload) >> 8), byte(len(payload))}
	}
	b = append(b, mask...)
	for i, p := range payload {
		b = append(b, p^mask[i&3])
	}
	return b
}

// door opens one more listener.
func (h *house) door(cfg ListenerConfig) string {
	h.t.Helper()
	cfg.Name = fmt.Sprint("door ", len(h.g.Listeners()))
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits()
	}
	addr, err := h.g.Listen(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return addr.String()
}

// secure is TLS with the certificate of the standard library's tests.
func secure() *TLS {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	cfg := DefaultTLS(func() *tls.Config { return s.TLS })
	return &cfg
}

func (h *house) wsDoor(scheme string, change ...func(*ListenerConfig)) string {
	h.t.Helper()
	cfg := ListenerConfig{Bind: scheme + "://127.0.0.1:0", WebSocket: &WebSocket{Path: "/mqtt"}}
	if scheme == "wss" {
		cfg.TLS = secure()
	}
	for _, c := range change {
		c(&cfg)
	}
	return h.door(cfg)
}

// wsClient is a client that others wrote.
func wsClient(t testing.TB, url string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, HandshakeTimeout: patience,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, EnableCompression: true}
	c, resp, err := d.Dial(url, nil)
	if err != nil {
		t.Fatalf("%v: %+v", err, resp)
	}
	t.Cleanup(func() { _ = c.Close() })
	deadline(t, c.NetConn())
	if c.Subprotocol() != "mqtt" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	return c
}

// wsRaw is a socket after its upgrade.
func wsRaw(t testing.TB, addr string) net.Conn {
	t.Helper()
	c := dial(t, "tcp", addr)
	if _, err := c.Write([]byte(wsRequest)); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"+
		"Sec-WebSocket-Protocol: mqtt\r\n\r\n")
	return c
}

func expect(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("got %q, want %q, %v", got[:n], want, err)
	}
}

// expectEnd reads to the peer's end, which must not be a reset.
func expectEnd(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		t.Fatalf("got %q, want %q and the end, %v", got, want, err)
	}
}

func (h *house) schemes(test func(t *testing.T, url string)) {
	for _, scheme := range []string{"ws", "wss"} {
		url := scheme + "://" + h.wsDoor(scheme) + "/mqtt"
		h.t.(*testing.T).Run(scheme, func(t *testing.T) { test(t, url) })
	}
}

func TestWebSocketCarriesPackets(t *testing.T) {
	f := &fake{packet: echo}
	h := start(t, f)
	h.schemes(func(t *testing.T, url string) {
		c := wsClient(t, url)
		long := packet(200_000, 'l')
		some := slices.Concat(packet(3, 'a'), packet(0, 0), packet(300, 'b'))
		for _, p := range [][]byte{packet(5, 'p'), long, some} {
			if err := c.WriteMessage(websocket.BinaryMessage, p); err != nil {
				t.Fatal(err)
			}
			wsExpect(t, "one message", c, p)
		}
		w, err := c.NextWriter(websocket.BinaryMessage) // a frame each 4 KiB
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(long)
		_ = w.Close()
		for b := range slices.Chunk(some, 2) { // a message each two bytes
			_ = c.WriteMessage(websocket.BinaryMessage, b)
		}
		wsExpect(t, "many frames", c, slices.Concat(long, some))
	})
}

// wsExpect reads binary messages until they are want.
func wsExpect(t testing.TB, name string, c *websocket.Conn, want []byte) {
	t.Helper()
	var got []byte
	for len(got) < len(want) {
		kind, b, err := c.ReadMessage()
		if err != nil || kind != websocket.BinaryMessage {
			t.Fatalf("%s: %d bytes of %d: kind %d, %v", name, len(got), len(want), kind, err)
		}
		got = append(got, b...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: other bytes came back", name)
	}
}

func TestWebSocketByteByByte(t *testing.T) {
	var mu sync.Mutex
	var got []string
	f := &fake{packet: func(c *Conn, frame []byte) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(frame))
		c.Write([]byte{0x20, 0})
	}}
	h := start(t, f)
	addr := h.wsDoor("ws")
	connect := "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
	in := slices.Concat([]byte(wsRequest), wsFrame(0x02, []byte(connect[:1])),
		wsFrame(0x00, []byte(connect[1:5])), wsFrame(0x89, []byte("still there?")),
		wsFrame(0x80, []byte(connect[5:]+"\xc0\x00")))
	c := dial(t, "tcp", addr)
	for _, b := range in {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	expect(t, r, "\x8a\x0cstill there?")
	for answers := 0; answers < 4; { // in one frame or two, as the bytes came
		expect(t, r, "\x82")
		n, err := r.ReadByte()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, r, strings.Repeat("\x20\x00", int(n)/2))
		answers += int(n)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, []string{connect, "\xc0\x00"}) {
		t.Errorf("packets %q", got)
	}
}

func TestWebSocketClosedByThePeer(t *testing.T) {
	ends := make(chan error, 4)
	h := start(t, &fake{packet: echo, closed: func(_ *Conn, err error) { ends <- err }})
	h.schemes(func(t *testing.T, url string) {
		c := wsClient(t, url)
		p := packet(2, 'x')
		_ = c.WriteMessage(websocket.BinaryMessage, p)
		bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "bye")
		if err := c.WriteMessage(websocket.CloseMessage, bye); err != nil {
			t.Fatal(err)
		}
		wsExpect(t, "before the close", c, p)
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Errorf("the peer is told %v", err)
		}
		if err := <-ends; err != io.EOF {
			t.Errorf("the handler is told %v", err)
		}
	})
}

func TestWebSocketClosedHere(t *testing.T) {
	h := start(t, &fake{
		packet: func(c *Conn, frame []byte) {
			c.Write(frame)
			c.Close()
		},
		malformed: func(c *Conn, _ *mqtt.Error) { c.Write([]byte{0xE0, 1, 0x81}) },
	})
	h.schemes(func(t *testing.T, url string) {
		for sent, want := range map[string]string{
			"\x30\x01a":            "\x30\x01a",
			"\x30\xff\xff\xff\xff": "\xe0\x01\x81",
		} {
			c := wsClient(t, url)
			if err := c.WriteMessage(websocket.BinaryMessage, []byte(sent)); err != nil {
				t.Fatal(err)
			}
			wsExpect(t, "last words", c, []byte(want))
			_, _, err := c.ReadMessage()
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("the peer is told %v", err)
			}
		}
	})
}

func TestWebSocketThatIsNone(t *testing.T) {
	ends := make(chan error, 8)
	h := start(t, &fake{packet: echo, closed: func(_ *Conn, err error) { ends <- err }})
	addr := h.wsDoor("ws", func(cfg *ListenerConfig) {
		cfg.WebSocket.Origins = []string{"https://a.example"}
	})
	host := "Host: a\r\n"
	for request, status := range map[string]int{
		strings.Replace(wsRequest, "/mqtt", "/", 1):                               404,
		strings.Replace(wsRequest, host, host+"Origin: https://b.example\r\n", 1): 403,
		strings.Replace(wsRequest, ": mqtt", ": soap", 1):                         400,
		strings.Replace(wsRequest, ": 13", ": 8", 1):                              426,
		strings.Replace(wsRequest, "GET", "POST", 1):                              405,
		wsRequest[:len(wsRequest)-2] + "C: " + strings.Repeat("c", 9000):          431,
		"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00":                            400,
	} {
		c := dial(t, "tcp", addr)
		if _, err := c.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(c)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%.20q: %v, %v, want %d", request, resp, err, status)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		expectEnd(t, r, "")
		if err := <-ends; err == nil || !strings.HasPrefix(err.Error(), "websocket: ") {
			t.Errorf("%d: the handler is told %v", status, err)
		}
	}
	if n := h.g.Stats().HandshakesFailed; n != 7 {
		t.Errorf("%d are counted", n)
	}
	h.rarely("a WebSocket request was refused")
}

func TestWebSocketFramesThatAreNone(t *testing.T) {
	ends := make(chan error, 1)
	h := start(t, &fake{packet: echo, closed: func(_ *Conn, err error) { ends <- err }})
	addr := h.wsDoor("ws")
	for frame, close := range map[string]string{
		string(wsFrame(0x81, packet(3, 't'))): "\x88\x02\x03\xeb",
		"\x82\x02\x30\x00":                    "\x88\x02\x03\xea",
		string(wsFrame(0xC2, packet(3, 'z'))): "\x88\x02\x03\xea",
	} {
		c := wsRaw(t, addr)
		before, after := wsFrame(0x82, packet(1, 'q')), make([]byte, 300_000)
		// What comes after is read and thrown away: with input unread the socket would be reset.
		if _, err := c.Write(slices.Concat(before, []byte(frame), after)); err != nil {
			t.Fatal(err)
		}
		expectEnd(t, c, "\x82\x03\x10\x01q"+close)
		if err := <-ends; err == nil || !strings.HasPrefix(err.Error(), "websocket: ") {
			t.Errorf("%q: the handler is told %v", frame, err)
		}
	}
}

// Who closes a connection whose request never ends is the handler, by its connect timeout.
func TestWebSocketWithoutRequest(t *testing.T) {
	conns := make(chan *Conn, 1)
	h := start(t, &fake{open: func(c *Conn) { conns <- c }})
	c := dial(t, "tcp", h.wsDoor("ws"))
	if _, err := c.Write([]byte("GET /mqtt HT")); err != nil {
		t.Fatal(err)
	}
	conn := <-conns
	h.g.Do(conn.Loop(), func(int64) {
		conn.Write([]byte{0xE0, 0}) // to whom it would be no HTTP: it is not sent
		conn.Close()
	})
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 408 {
		t.Fatal(resp, err)
	}
}

func TestWebSocketReaderThatDoesNotRead(t *testing.T) {
	ends := make(chan error, 1)
	h := start(t, &fake{packet: echo, closed: func(_ *Conn, err error) { ends <- err }})
	addr := h.wsDoor("ws", func(cfg *ListenerConfig) {
		cfg.Limits = DefaultLimits()
		cfg.Limits.OutBytesMax, cfg.Limits.OutCutBytesMax = 64<<10, 256<<10
	})
	for name, frame := range map[string][]byte{
		"pings":   wsFrame(0x89, bytes.Repeat([]byte("p"), 125)),
		"packets": wsFrame(0x82, packet(900, 'd')),
	} {
		c := wsRaw(t, addr)
		flood := bytes.Repeat(frame, 100)
		var err error
		for err == nil {
			_, err = c.Write(flood)
		}
		if err := <-ends; !errors.Is(err, ErrCut) {
			t.Errorf("%s: the handler is told %v", name, err)
		}
	}
}

func BenchmarkWebSocketEcho(b *testing.B) {
	for name, size := range map[string]int{"64B": 64, "4KiB": 4 << 10} {
		b.Run(name, func(b *testing.B) {
			h := start(b, &fake{packet: echo})
			c := wsRaw(b, h.wsDoor("ws"))
			p := packet(size, 'b')
			sent, got := wsFrame(0x82, p), make([]byte, len(p)+2)
			if len(p) > 125 {
				got = append(got, 0, 0)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, err := c.Write(sent); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
