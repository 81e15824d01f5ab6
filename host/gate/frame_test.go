package gate

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Packets come up whole and in order, however the network cuts them.
func TestPacketsComeWhole(t *testing.T) {
	h := start(t, &fake{packet: echo})
	seed := time.Now().UnixNano()
	r := rand.New(rand.NewSource(seed))
	c := h.dial()
	sent := []byte{0x10, 0} // who does not begin with CONNECT is ended when its packet is cut
	for i := range 400 {
		n := r.Intn(300)
		if i%40 == 39 {
			n = r.Intn(300_000)
		}
		sent = append(sent, packet(n, byte(i))...)
	}
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+r.Intn(1<<r.Intn(17)))
			if _, err := c.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatalf("seed %d: other bytes came back", seed)
	}
	st := h.g.Stats()
	if st.PacketsIn != 401 || st.BytesIn != uint64(len(sent)) || st.BytesOut != st.BytesIn {
		t.Errorf("stats: %+v, %d bytes", st, len(sent))
	}
}

func TestTooLargeIsMalformed(t *testing.T) {
	for _, tc := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"the first packet", packet(101, 'x')[:3], "refused"},
		{"a later packet", append(packet(90, 'x'), packet(1001, 'x')[:3]...), "refused"},
		{"a bad length", []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, "refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := start(t, &fake{
				malformed: func(c *Conn, err *mqtt.Error) { c.Write([]byte("refused")) },
			}, func(_ *Config, l *Limits) { l.FirstPacketBytesMax, l.PacketBytesMax = 100, 1000 })
			c := h.dial()
			if _, err := c.Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || string(got) != tc.want {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}

// What begins as no CONNECT does is not waited for; a CONNECT with the largest will is taken.
func TestStrangers(t *testing.T) {
	for sent, want := range map[string]string{
		"GET / HTTP/1.1\r\n":                      "MQTT-3.1.0-1",
		"PROXY TCP4 192.0.2.1 1":                  "MQTT-3.1.0-1",
		"\x30\x05":                                "MQTT-3.1.0-1",
		"\x10\x81\x80\x10":                        "MQTT-3.2.2-15",
		"\x10\xF0\xFF\x0F":                        "", // 256 KiB less some: waited for
		string(packet(3, 'w')):                    "packet",
		"\x10" + string(packet(200_000, 'c'))[1:]: "packet",
	} {
		h := start(t, &fake{
			packet:    func(c *Conn, _ []byte) { c.Write([]byte("packet")); c.Close() },
			malformed: func(c *Conn, err *mqtt.Error) { c.Write([]byte(err.Clause)) },
		})
		c := h.dial()
		if _, err := c.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			until(t, "read", func() bool { return h.g.Stats().BytesIn == uint64(len(sent)) })
			_ = c.(*net.TCPConn).CloseWrite()
		}
		got, err := io.ReadAll(c)
		if err != nil || string(got) != want {
			t.Errorf("%.9q: got %q, %v", sent, got, err)
		}
	}
}

// flip is a stage that inverts every byte, answers an empty packet by itself, and says bye.
type flip struct{ place }

func (f *flip) in(c *Conn, raw []byte) error {
	plain := make([]byte, len(raw))
	for i, b := range raw {
		plain[i] = ^b
	}
	if bytes.Equal(plain, []byte{0x30, 0}) {
		return f.sink(c, []byte("pong"))
	}
	if plain[0] == 0 {
		return fmt.Errorf("no such record")
	}
	return f.rise(c, plain)
}

func (*flip) out(_ *Conn, dst, plain []byte) ([]byte, error) {
	for _, b := range plain {
		dst = append(dst, ^b)
	}
	return dst, nil
}

func (*flip) bye(_ *Conn, dst []byte) []byte { return append(dst, "bye"...) }

func TestStageBetweenSocketAndFraming(t *testing.T) {
	f := &fake{packet: func(c *Conn, frame []byte) {
		c.Write(frame)
		c.Close()
	}}
	h := start(t, f)
	addr, err := h.g.Listen(ListenerConfig{
		Name: "flip", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
		newStage: func() stage { return &flip{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{
		"\xCF\xFF":          "pong",
		"\xCF\xFE" + "\xBE": "\xCF\xFE" + "\xBE" + "bye",
		"\xFF":              "",
	} {
		c := dial(t, "tcp", addr.String())
		if _, err := c.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v", sent, got, err)
		}
		if want == "" {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("an error of the stage did not close")
			}
		}
	}
}
