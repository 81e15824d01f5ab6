package story

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// first bytes of the packets a client sends, with the flags the standard wants (2.1.3).
const (
	firstConnect     = 0x10
	firstPublish     = 0x30
	firstPuback      = 0x40
	firstPubrec      = 0x50
	firstPubrel      = 0x62
	firstPubcomp     = 0x70
	firstSubscribe   = 0x82
	firstUnsubscribe = 0xa2
	firstPingreq     = 0xc0
	firstDisconnect  = 0xe0
	firstAuth        = 0xf0
)

// packet puts the fixed header before a body; flags=N in the script replaces the low four bits.
func packet(c *Command, first byte, body []byte) ([]byte, error) {
	flags, err := c.Number("flags", uint64(first&0x0f))
	if err != nil {
		return nil, err
	}
	dst := appendVarInt([]byte{first&0xf0 | byte(flags)}, len(body))
	return append(dst, body...), nil
}

// known refuses keys that mean nothing to the command, so that a typing error does not pass for a
// default.
func known(c *Command, keys ...string) error {
	keys = append(keys, "flags")
	for _, a := range c.Args {
		if a.Key == "" || slices.Contains(keys, a.Key) {
			continue
		}
		if _, will, ok := propertyOf(a.Key); ok && (!will || c.Verb == "connect") {
			continue
		}
		return fmt.Errorf("%s does not know %s=", c.Verb, a.Key)
	}
	return nil
}

// propertyOf answers the property a key of the script names, and whether it is one of the will.
func propertyOf(key string) (p property, will, ok bool) {
	rest, will := strings.CutPrefix(key, "will-")
	if will && key != "will-delay" {
		p, ok = propertyNamed(rest)
		return p, true, ok
	}
	p, ok = propertyNamed(key)
	return p, will, ok
}

// appendProps appends the properties among the arguments with their length, in the order of the
// script: those of the will, or all others.
func appendProps(dst []byte, c *Command, ofWill bool) ([]byte, error) {
	var props []byte
	for _, a := range c.Args {
		p, will, ok := propertyOf(a.Key)
		if !ok || will != ofWill {
			continue
		}
		var err error
		if props, err = appendProperty(props, p, a.Value); err != nil {
			return nil, err
		}
	}
	return append(appendVarInt(dst, len(props)), props...), nil
}

// flag says if a word stands in the command alone or as word=true.
func flag(c *Command, name string) bool {
	v, ok := c.Get(name)
	return c.Flag(name) || ok && v == "true"
}

func bit(b bool, n int) byte {
	if b {
		return 1 << n
	}
	return 0
}

func encodeConnect(c *Command, version byte) ([]byte, error) {
	err := known(c, "version", "clean", "keepalive", "id", "username", "password", "will",
		"will-payload", "will-qos", "will-retain", "protocol", "loop", "show")
	if err != nil {
		return nil, err
	}
	clean, err1 := c.Number("clean", 1)
	keepalive, err2 := c.Number("keepalive", 0)
	willQoS, err3 := c.Number("will-qos", 0)
	if err := firstError(err1, err2, err3); err != nil {
		return nil, err
	}
	_, will := c.Get("will")
	_, username := c.Get("username")
	_, password := c.Get("password")
	flags := bit(clean != 0, 1) | bit(will, 2) | byte(willQoS)<<3 | bit(flag(c, "will-retain"), 5) |
		bit(password, 6) | bit(username, 7) | bit(c.Flag("reserved"), 0)
	name, ok := c.Get("protocol")
	if !ok && version == 3 {
		name = "MQIsdp"
	} else if !ok {
		name = "MQTT"
	}
	body := append(appendString(nil, name), version, flags)
	body = binary.BigEndian.AppendUint16(body, uint16(keepalive))
	if version >= 5 {
		if body, err = appendProps(body, c, false); err != nil {
			return nil, err
		}
	}
	if body, err = appendConnectPayload(body, c, version); err != nil {
		return nil, err
	}
	return packet(c, firstConnect, body)
}

func appendConnectPayload(body []byte, c *Command, version byte) ([]byte, error) {
	id, _ := c.Get("id")
	body = appendString(body, id)
	if topic, ok := c.Get("will"); ok {
		if version >= 5 {
			var err error
			if body, err = appendProps(body, c, true); err != nil {
				return nil, err
			}
		}
		payload, _ := c.Get("will-payload")
		body = appendString(appendString(body, topic), payload)
	}
	for _, key := range []string{"username", "password"} {
		if v, ok := c.Get(key); ok {
			body = appendString(body, v)
		}
	}
	return body, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func encodePublish(c *Command, version byte) ([]byte, error) {
	topic, err1 := c.Pos(1)
	payload, err2 := c.Pos(2)
	qos, err3 := c.Number("qos", 0)
	id, err4 := c.Number("id", 0)
	if err := firstError(err1, err2, err3, err4, known(c, "qos", "id")); err != nil {
		return nil, err
	}
	body := appendString(nil, topic)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, uint16(id))
	}
	if version >= 5 {
		var err error
		if body, err = appendProps(body, c, false); err != nil {
			return nil, err
		}
	}
	body = append(body, payload...)
	first := firstPublish | bit(c.Flag("dup"), 3) | byte(qos)<<1 | bit(c.Flag("retain"), 0)
	return packet(c, first, body)
}

// encodeAck encodes PUBACK, PUBREC, PUBREL and PUBCOMP in their shortest form (3.4.2.1).
func encodeAck(c *Command, version, first byte) ([]byte, error) {
	id, err := packetID(c)
	if err != nil {
		return nil, err
	}
	return encodeReasoned(c, version, first, binary.BigEndian.AppendUint16(nil, id))
}

// encodeReasoned appends the reason code, if the script names one, and the properties to body. It
// leaves out what the standard lets it.
func encodeReasoned(c *Command, version, first byte, body []byte) ([]byte, error) {
	code, given, at := byte(0), false, 1
	if len(body) > 0 {
		at = 2 // behind the packet identifier
	}
	if name, err := c.Pos(at); err == nil {
		given = true
		if code, err = ReasonCode(name); err != nil {
			return nil, err
		}
	}
	if err := known(c); err != nil {
		return nil, err
	}
	props, err := appendProps(nil, c, false)
	if err != nil {
		return nil, err
	}
	if version >= 5 && (given || len(props) > 1) {
		body = append(body, code)
	}
	if version >= 5 && len(props) > 1 {
		body = append(body, props...)
	}
	return packet(c, first, body)
}

func packetID(c *Command) (uint16, error) {
	word, err := c.Pos(1)
	if err != nil {
		return 0, err
	}
	n, err := number(word)
	return uint16(n), err
}

// encodeSubscribe encodes SUBSCRIBE: each word after the packet identifier is a filter, the options
// after it are its own.
func encodeSubscribe(c *Command, version byte) ([]byte, error) {
	id, err := packetID(c)
	if err != nil {
		return nil, err
	}
	err = known(c, "qos", "retain-handling", "options", "no-local", "retain-as-published")
	if err != nil {
		return nil, err
	}
	body := binary.BigEndian.AppendUint16(nil, id)
	if version >= 5 {
		if body, err = appendProps(body, c, false); err != nil {
			return nil, err
		}
	}
	// options is where the option byte of the last filter stands.
	options, words := -1, 0
	for _, a := range c.Args {
		if a.Key == "" && (a.Quoted || a.Value != "no-local" && a.Value != "retain-as-published") {
			if words++; words > 2 {
				body = append(appendString(body, a.Value), 0)
				options = len(body) - 1
			}
			continue
		}
		if options < 0 {
			continue
		}
		o, err := subscribeOption(a)
		if err != nil {
			return nil, err
		}
		body[options] |= o
	}
	return packet(c, firstSubscribe, body)
}

func subscribeOption(a Arg) (byte, error) {
	switch {
	case a.Key == "" && a.Value == "no-local":
		return 1 << 2, nil
	case a.Key == "" && a.Value == "retain-as-published":
		return 1 << 3, nil
	}
	shift := map[string]int{"qos": 0, "retain-handling": 4, "options": 0}
	by, ok := shift[a.Key]
	if !ok {
		return 0, nil
	}
	n, err := number(a.Value)
	return byte(n) << by, err
}

func encodeUnsubscribe(c *Command, version byte) ([]byte, error) {
	id, err := packetID(c)
	if err != nil {
		return nil, err
	}
	if err := known(c); err != nil {
		return nil, err
	}
	body := binary.BigEndian.AppendUint16(nil, id)
	if version >= 5 {
		if body, err = appendProps(body, c, false); err != nil {
			return nil, err
		}
	}
	for i := 2; ; i++ {
		filter, err := c.Pos(i)
		if err != nil {
			return packet(c, firstUnsubscribe, body)
		}
		body = appendString(body, filter)
	}
}

// encodeRaw turns words of hexadecimal digits and "quoted text" into bytes.
func encodeRaw(c *Command) ([]byte, error) {
	var out []byte
	for _, a := range c.Args[1:] {
		if a.Quoted {
			out = append(out, a.Value...)
			continue
		}
		b, err := unhex(a.Value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", a.Value, err)
		}
		out = append(out, b...)
	}
	return out, nil
}
