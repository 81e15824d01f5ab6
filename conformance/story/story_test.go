package story

import (
	"errors"
	"strings"
	"testing"
)

// parrot is a Driver that answers every packet with the same events.
type parrot struct {
	answer []Event
	events []Event
	sent   [][]byte
}

func (p *parrot) Open(string, int) error { return nil }
func (p *parrot) Send(_ string, b []byte) error {
	p.sent = append(p.sent, append([]byte(nil), b...))
	p.events = append(p.events, p.answer...)
	return nil
}
func (p *parrot) Drop(string) error { return nil }
func (p *parrot) Do(*Command) error { return ErrUnsupported }
func (p *parrot) Settle() ([]Event, error) {
	e := p.events
	p.events = nil
	return e, nil
}

const script = `# A comment stays.
connect a
  a <- CONNACK success session-present=false

# Silence:
ping a
`

func TestStoryNamesWhatDiffers(t *testing.T) {
	s, err := Parse("x.txt", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	connack := Event{Conn: "a", Packet: []byte{0x20, 3, 0, 0, 0}}
	got, err := s.Run(&parrot{answer: []Event{connack}})
	if err == nil || !strings.Contains(err.Error(), "x.txt:6: ping a") {
		t.Fatalf("the second CONNACK was not noticed: %v", err)
	}
	want := script + "  a <- CONNACK success session-present=false\n"
	if string(got) != want {
		t.Fatalf("rewritten:\n%s\nwant:\n%s", got, want)
	}
	again, _ := Parse("x.txt", got)
	if _, err := again.Run(&parrot{answer: []Event{connack}}); err != nil {
		t.Fatalf("a rewritten story must pass: %v", err)
	}
}

func TestUnknownCommandIsUnsupported(t *testing.T) {
	s, _ := Parse("x.txt", []byte("fly a\n"))
	if _, err := s.Run(&parrot{}); !errors.Is(err, ErrUnsupported) {
		t.Fatal(err)
	}
}

func TestTypingErrorsAreErrors(t *testing.T) {
	for _, line := range []string{
		"connect a kepalive=3", "publish a", `publish a t "x`, "subscribe a 1 t qos=x",
		"disconnect a no-such-reason", "send a zz", "publish a t \"x\" user=noColon",
	} {
		s, err := Parse("x.txt", []byte(line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(&parrot{}); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
	if _, err := Parse("x.txt", []byte("  a closed\n")); err == nil {
		t.Error("an expected line without a command")
	}
}

// TestPackets compares what is sent with the bytes of the standard, by hand.
func TestPackets(t *testing.T) {
	cases := []struct{ line, want string }{
		{`connect a version=4 keepalive=10`, "\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01a"},
		{`connect a session-expiry=1 will=w will-payload="x" will-qos=1 will-retain will-delay=2`,
			"\x10\x1f\x00\x04MQTT\x05\x2e\x00\x00\x05\x11\x00\x00\x00\x01\x00\x01a" +
				"\x05\x18\x00\x00\x00\x02\x00\x01w\x00\x01x"},
		{`publish a t "x" qos=1 id=7 retain alias=3`, "\x33\x0a\x00\x01t\x00\x07\x03\x23\x00\x03x"},
		{`puback a 7`, "\x40\x02\x00\x07"},
		{`puback a 7 not-authorized`, "\x40\x03\x00\x07\x87"},
		{`pubrel a 7`, "\x62\x02\x00\x07"},
		{`subscribe a 1 t qos=1 no-local u retain-handling=2 sub-id=200`,
			"\x82\x0e\x00\x01\x03\x0b\xc8\x01\x00\x01t\x05\x00\x01u\x20"},
		{`unsubscribe a 1 t`, "\xa2\x06\x00\x01\x00\x00\x01t"},
		{`disconnect a`, "\xe0\x00"},
		{`disconnect a session-expiry=1`, "\xe0\x07\x00\x05\x11\x00\x00\x00\x01"},
		{`send a 30 "ab" 00`, "\x30ab\x00"},
	}
	for _, c := range cases {
		p := &parrot{}
		if _, err := newTeller(p).tell(c.line); err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if got := string(p.sent[0]); got != c.want {
			t.Errorf("%s:\n got % x\nwant % x", c.line, got, c.want)
		}
	}
}

// FuzzShow: whatever a broker sends is printed, never a panic.
func FuzzShow(f *testing.F) {
	f.Add([]byte{0x20, 3, 0, 0, 0}, byte(5))
	f.Add([]byte("\x33\x0a\x00\x01t\x00\x07\x03\x23\x00\x03x"), byte(5))
	f.Add([]byte{0x90, 3, 0, 1, 0}, byte(4))
	f.Add([]byte{0xe0, 2, 0x8e, 0}, byte(5))
	f.Fuzz(func(t *testing.T, b []byte, version byte) {
		v := view{version: version % 7, assigned: func(string) {}}
		rest, _ := Frames(b, func(p []byte) {
			if v.show(p) == "" {
				t.Fatal("nothing printed")
			}
		})
		if len(rest) > len(b) {
			t.Fatal("more left than there was")
		}
	})
}

// FuzzParse: no script may panic.
func FuzzParse(f *testing.F) {
	f.Add(script)
	f.Add("publish a \"x\"*3 user=a:b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := Parse("x.txt", []byte(text)); err == nil {
			_, _ = s.Run(&parrot{})
		}
	})
}
