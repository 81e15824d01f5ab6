package gate

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// dots is a Codec whose words end with a dot. Each is the filling of a packet, and each packet is
// told as its type and size; of a PUBLISH the handler hears a PINGREQ in return.
type dots struct{}

var errBang = errors.New("bang")

func (dots) In(_ int64, raw []byte, up, down *[]byte) (int, error) {
	word, _, whole := bytes.Cut(raw, []byte("."))
	if !whole {
		return 0, nil
	}
	*down = append(*down, "seen;"...)
	*up = append(*up, framed(mqtt.CONNECT, 20+len(word), 'x')...)
	if string(word) == "bang" {
		return len(word) + 1, errBang
	}
	return len(word) + 1, nil
}

func (dots) Out(_ int64, packets []byte, up, down *[]byte) error {
	for len(packets) > 0 {
		n, err := mqtt.Frame(packets, 0)
		if err != nil || n == 0 {
			return errors.New("not whole")
		}
		if t := mqtt.TypeOf(packets); t == mqtt.PUBLISH {
			*up = (&mqtt.Ping{Type: mqtt.PINGREQ}).Append(*up, mqtt.V5)
		} else {
			*down = append(*down, t.String()+";"...)
		}
		packets = packets[n:]
	}
	return nil
}

func speaksDots(cfg *ListenerConfig) { cfg.Codec = func(int) Codec { return dots{} } }

// hears reads what the peer is sent.
func hears(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// TestCodecStage: answers come before what the codec adds, words may be cut anywhere, and what the
// codec says to the handler by itself comes in its turn, all of it over TLS too.
func TestCodecStage(t *testing.T) {
	ended := make(chan error, 2)
	f := &fake{closed: func(_ *Conn, err error) { ended <- err }}
	f.packet = func(c *Conn, frame []byte) {
		c.Write(frame)
		if mqtt.TypeOf(frame) == mqtt.CONNECT {
			c.Write(publish(40, 'p'))
		}
	}
	h := start(t, f)
	v := secured(t, h)
	cfg := ListenerConfig{Name: "dots", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits()}
	speaksDots(&cfg)
	addr, err := h.g.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	over := v.config(DefaultLimits())
	over.Name = "dots over TLS"
	speaksDots(&over)
	secure, err := h.g.Listen(over)
	if err != nil {
		t.Fatal(err)
	}
	v.addr = secure.String()
	for _, c := range []io.ReadWriter{dial(t, "tcp", addr.String()), v.enter()} {
		r := bufio.NewReader(c)
		say := func(text string) {
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		say("one.tw")
		hears(t, r, "CONNECT;seen;PINGREQ;")
		say("o.")
		hears(t, r, "CONNECT;seen;PINGREQ;")
		say("half")
		say("bang.")
		hears(t, r, "CONNECT;seen;PINGREQ;")
		say("bang.never.")
		hears(t, r, "CONNECT;seen;")
		if rest, err := io.ReadAll(r); err != nil || strings.Contains(string(rest), "seen") {
			t.Errorf("%q, %v", rest, err)
		}
		if err := <-ended; !errors.Is(err, errBang) {
			t.Errorf("ended for %v", err)
		}
	}
}

// TestCodecWordsEndInTime: what a codec has not read is the start of a packet.
func TestCodecWordsEndInTime(t *testing.T) {
	said := make(chan *mqtt.Error, 1)
	h := start(t, &fake{malformed: func(_ *Conn, err *mqtt.Error) { said <- err }})
	cfg := ListenerConfig{Name: "dots", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits()}
	cfg.Limits.PacketTimeout = 50 * time.Millisecond
	speaksDots(&cfg)
	addr, err := h.g.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "tcp", addr.String())
	if _, err := c.Write([]byte("no end")); err != nil {
		t.Fatal(err)
	}
	if err := <-said; !strings.Contains(err.Text, "did not end in time") {
		t.Errorf("%v", err)
	}
	if rest, err := io.ReadAll(c); err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestNoCodecOverWebSocket(t *testing.T) {
	h := start(t, &fake{})
	cfg := ListenerConfig{
		Name: "ws", Bind: "ws://127.0.0.1:0", Limits: DefaultLimits(),
		WebSocket: &WebSocket{Path: "/mqtt"},
	}
	speaksDots(&cfg)
	if _, err := h.g.Listen(cfg); err == nil {
		t.Error("it listens")
	}
}
