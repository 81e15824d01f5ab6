package story

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// reader takes a packet apart; after a failure all it answers is zero and err says why.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.b) < n {
		r.err = errors.New("packet too short")
	}
	if r.err != nil {
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) string() string { return string(r.take(int(r.uint16()))) }

func (r *reader) varint() int {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		b := r.byte()
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return n
		}
	}
	r.err = errors.New("variable byte integer of more than four bytes")
	return 0
}

// view says how packets to one connection are printed.
type view struct {
	version byte
	// limits shows what a broker announces of itself in CONNACK, which differs from broker to
	// broker.
	limits bool
	// reasons shows that there is a reason string, whose words differ from broker to broker.
	reasons bool
	// assigned is called with the client identifier in CONNACK.
	assigned func(id string)
}

// show prints a packet from the broker. What a broker must not send at all starts with BAD.
func (v *view) show(packet []byte) string {
	first, r := packet[0], &reader{b: packet[1:]}
	r.varint()
	var text string
	switch first >> 4 {
	case 2:
		text = v.connack(r)
	case 3:
		text = v.publish(first, r)
		first &= 0xf0
	case 4, 5, 6, 7:
		text = v.ack(first>>4, r)
	case 9:
		text = v.suback(r)
	case 11:
		text = v.unsuback(r)
	case 13:
		text = "PINGRESP"
	case 14, 15:
		text = v.reasoned(first>>4, r)
	default:
		return fmt.Sprintf("BAD no packet of a server: % x", packet)
	}
	if err := v.flaws(first, r); err != nil {
		return fmt.Sprintf("BAD %v: %s: % x", err, text, packet)
	}
	return text
}

// flaws checks what is left of a packet when its fields are read. [MQTT-2.1.3-1]
func (v *view) flaws(first byte, r *reader) error {
	want := byte(0)
	if first>>4 == 6 {
		want = 2
	}
	switch {
	case r.err != nil:
		return r.err
	case len(r.b) > 0:
		return fmt.Errorf("%d bytes too many", len(r.b))
	case first&0x0f != want:
		return fmt.Errorf("reserved flags are %04b", first&0x0f)
	}
	return nil
}

func (v *view) props(r *reader) string {
	if v.version < 5 || r.err != nil {
		return ""
	}
	var b strings.Builder
	for _, p := range readProperties(r) {
		switch p.name {
		case "receive-max", "alias-max", "qos-max", "retain-available", "packet-max",
			"wildcard-available", "sub-id-available", "shared-available":
			if !v.limits {
				continue
			}
		case "reason-string":
			if v.reasons {
				b.WriteString(" reason-string")
			}
			continue
		case "assigned-id":
			v.assigned(p.text)
			b.WriteString(" assigned-id")
			continue
		}
		fmt.Fprintf(&b, " %s=%s", p.name, p.text)
	}
	return b.String()
}

func (v *view) connack(r *reader) string {
	flags, code := r.byte(), r.byte()
	name := reasonName(code)
	if v.version < 5 {
		name = connack3Name(code)
	}
	text := fmt.Sprintf("CONNACK %s session-present=%t", name, flags&1 != 0) + v.props(r)
	if flags > 1 {
		r.err = fmt.Errorf("acknowledge flags are 0x%02x", flags) // [MQTT-3.2.2-1]
	}
	return text
}

func (v *view) publish(first byte, r *reader) string {
	var b strings.Builder
	topic, qos := r.string(), first>>1&3
	id := uint16(0)
	if qos > 0 {
		id = r.uint16()
	}
	props := v.props(r)
	payload := string(r.b)
	if r.err == nil {
		r.b = nil
	}
	fmt.Fprintf(&b, "PUBLISH %s %s qos=%d", word(topic), quote(payload), qos)
	if qos > 0 {
		fmt.Fprintf(&b, " id=%d", id)
	}
	if first&8 != 0 {
		b.WriteString(" dup")
	}
	if first&1 != 0 {
		b.WriteString(" retain")
	}
	return b.String() + props
}

func (v *view) ack(typ byte, r *reader) string {
	name := []string{"PUBACK", "PUBREC", "PUBREL", "PUBCOMP"}[typ-4]
	id := r.uint16()
	if v.version < 5 {
		return fmt.Sprintf("%s %d", name, id)
	}
	code, props := v.tail(r)
	return fmt.Sprintf("%s %d %s%s", name, id, reasonName(code), props)
}

// tail reads a reason code and properties, both of which may be left out (3.4.2.1).
func (v *view) tail(r *reader) (code byte, props string) {
	if len(r.b) > 0 {
		code = r.byte()
	}
	if len(r.b) > 0 {
		props = v.props(r)
	}
	return code, props
}

func (v *view) suback(r *reader) string {
	text := fmt.Sprintf("SUBACK %d", r.uint16())
	props := v.props(r)
	for len(r.b) > 0 && r.err == nil {
		text += " " + subackName(v.version, r.byte())
	}
	return text + props
}

func (v *view) unsuback(r *reader) string {
	text := fmt.Sprintf("UNSUBACK %d", r.uint16())
	props := v.props(r)
	for v.version == 5 && len(r.b) > 0 && r.err == nil {
		text += " " + reasonName(r.byte())
	}
	return text + props
}

func (v *view) reasoned(typ byte, r *reader) string {
	name := "DISCONNECT"
	if typ == 15 {
		name = "AUTH"
	}
	if v.version < 5 {
		r.err = errors.New("not in this version")
		return name
	}
	code, props := v.tail(r)
	return fmt.Sprintf("%s %s%s", name, reasonName(code), props)
}
