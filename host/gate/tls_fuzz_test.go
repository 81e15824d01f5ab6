package gate

import (
	"bytes"
	"crypto/tls"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// FuzzTLSStage sends bytes into TLS after the handshake: raw ones, and sealed ones, which get past
// the seal. The gate neither panics nor harms another connection, and in the end the peer is gone.
//
// Input is a list of pieces: a type, a length, so many bytes. Type 0 is raw bytes, 1 a KeyUpdate,
// any other a sealed record of that type.
func FuzzTLSStage(f *testing.F) {
	f.Add([]byte{0, 5, 23, 3, 3, 0, 1})
	f.Add([]byte{23, 2, 0x30, 0, 1, 0, 23, 2, 0x30, 0})
	f.Add([]byte{22, 5, 24, 0, 0, 1, 1, 23, 2, 0x30, 0})
	f.Add([]byte{22, 2, 24, 0, 22, 3, 0, 1, 1, 20, 1, 1, 21, 2, 1, 0})
	f.Add([]byte{23, 0, 23, 0, 23, 1, 0x30, 23, 1, 0})
	f.Add([]byte{22, 4, 4, 0, 0, 0, 22, 4, 1, 0, 0, 0})
	v := secured(f, start(f, &fake{packet: echo}))
	good := v.enter()
	f.Fuzz(func(t *testing.T, in []byte) {
		v.t = t
		_ = good.SetDeadline(time.Now().Add(patience))
		s := v.handWritten()
		var raw []byte
		for len(in) >= 2 {
			kind, n := in[0], min(int(in[1]), len(in)-2)
			piece := in[2 : 2+n]
			in = in[2+n:]
			switch kind {
			case 0:
				raw = append(raw, piece...)
			case 1:
				raw = append(raw, s.update()...)
			default:
				raw = append(raw, s.seal(kind, piece)...)
			}
		}
		go func() {
			_, _ = s.socket.Write(raw[:len(raw)/2])
			_, _ = s.socket.Write(raw[len(raw)/2:])
			_ = s.socket.(interface{ CloseWrite() error }).CloseWrite()
		}()
		_, _ = io.Copy(io.Discard, s)
		_ = s.socket.Close()
		ping(t, good)
		if st := v.g.Stats(); st.Panics != 0 {
			t.Fatalf("panics: %s", v.log)
		}
	})
}

// What large records leave behind is room for one.
func TestTLSKeepsRoomForOneRecord(t *testing.T) {
	const peers, records = 50, 40
	v := secured(t, start(t, &fake{}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakesPerSourceMax = 2 * peers
	})
	var all []*scribe
	for range peers {
		all = append(all, v.handWritten())
	}
	v.calm(peers)
	before := heapBytes()
	content := packet(16<<10-4, 'x')
	for _, s := range all {
		for range records {
			s.write(s.seal(dataRecord, content))
		}
	}
	until(t, "all read", func() bool { return v.g.Stats().PacketsIn == peers*records })
	if n := (heapBytes() - before) / peers; n > 20<<10 {
		t.Errorf("a connection keeps %d bytes", n)
	}
	runtime.KeepAlive(all)
}

func heapBytes() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// BenchmarkTLSEcho is from socket to socket through the stage; what is allocated is the client's
// and the gate's together.
func BenchmarkTLSEcho(b *testing.B) {
	for name, size := range map[string]int{"64": 64, "16K": 16 << 10} {
		b.Run(name, func(b *testing.B) {
			v := secured(b, start(b, &fake{packet: echo}))
			c := v.enter()
			p := packet(size, 'x')
			const window = 16
			sent, got := bytes.Repeat(p, window), make([]byte, window*len(p))
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			for n := 0; b.Loop(); n++ {
				if n%window != 0 {
					continue
				}
				go func() { _, _ = c.Write(sent) }()
				if _, err := io.ReadFull(c, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// bomb is a stage that panics at the word of its test.
type bomb struct {
	place
	at string
}

func (s *bomb) set(where string) {
	if s.at == where {
		panic("in " + where)
	}
}

func (s *bomb) in(c *Conn, raw []byte) error {
	s.set("in")
	return s.rise(c, raw)
}

func (s *bomb) out(_ *Conn, dst, plain []byte) ([]byte, error) {
	s.set("out")
	return append(dst, plain...), nil
}

func (s *bomb) bye(_ *Conn, dst []byte) []byte {
	s.set("bye")
	return dst
}

// A stage that panics costs its connection; others get what the same turn has for them.
func TestStagePanics(t *testing.T) {
	for _, where := range []string{"in", "out", "bye"} {
		t.Run(where, func(t *testing.T) {
			other := make(chan *Conn, 1)
			var mate atomic.Pointer[Conn]
			f := &fake{packet: func(c *Conn, frame []byte) {
				if !c.staged() {
					other <- c
					return
				}
				c.Write(frame)
				if where == "bye" {
					c.Close()
				}
				mate.Load().Write(frame)
			}}
			h := start(t, f, func(c *Config, _ *Limits) { c.Loops = 1 })
			addr, err := h.g.Listen(ListenerConfig{
				Name: "bomb", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
				newStage: func() stage { return &bomb{at: where} },
			})
			if err != nil {
				t.Fatal(err)
			}
			good := h.dial()
			if _, err := good.Write(packet(1, 'x')); err != nil {
				t.Fatal(err)
			}
			mate.Store(<-other)
			bad := dial(t, "tcp", addr.String())
			if _, err := bad.Write(packet(2, 'y')); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, bad); err == nil {
				t.Error("a clean end")
			}
			until(t, "one panic", func() bool { return h.g.Stats().Panics == 1 })
			if where == "in" {
				return
			}
			got := make([]byte, 4)
			if _, err := io.ReadFull(good, got); err != nil || got[2] != 'y' {
				t.Errorf("got %x, %v", got, err)
			}
		})
	}
}
