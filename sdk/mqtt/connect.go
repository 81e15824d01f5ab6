package mqtt

import "unicode/utf8"

// Connect is the first packet of a client (section 3.1). Its bytes are borrowed from the decoded
// frame.
type Connect struct {
	Version Version
	// Bridge is the high bit of the protocol level, by which some brokers say they are not a
	// client.
	Bridge bool
	// CleanStart is Clean Session before 5.0.
	CleanStart bool
	KeepAlive  uint16 // seconds, 0 for none
	ClientID   []byte // may be empty; the server says if that will do [MQTT-3.1.3-6]
	HasWill    bool
	Will       Will

	HasUsername, HasPassword bool
	Username, Password       []byte
	Props                    Props
}

// Will is the message a server publishes when the connection ends without DISCONNECT
// [MQTT-3.1.2-8].
type Will struct {
	Topic, Payload []byte
	QoS            QoS
	Retain         bool
	Props          Props
}

// The connect flags (section 3.1.2.3).
const (
	connectReserved   = 1 << 0
	connectCleanStart = 1 << 1
	connectWill       = 1 << 2
	connectWillQoS    = 3 << 3
	connectWillRetain = 1 << 5
	connectPassword   = 1 << 6
	connectUsername   = 1 << 7

	connectWillQoSShift = 3
	connectBridge       = 0x80 // in the protocol level
)

// Decode reads a CONNECT. On an error Version says in which format to answer, 0 that the other side
// does not speak MQTT and no answer fits; an unknown level gives the nearest version.
func (p *Connect) Decode(frame []byte) error {
	*p = Connect{}
	// The flags are checked once the version is known.
	rest, err := open(frame, CONNECT, 0)
	r := reader{rest: rest, err: err}
	p.version(&r, frame)
	flags := r.byte()
	p.flags(&r, flags)
	p.KeepAlive = r.uint16()
	if p.Version == V5 {
		p.props(&r)
	}
	p.ClientID = r.text()
	if p.HasWill {
		p.will(&r)
	}
	p.credentials(&r, flags)
	return r.end()
}

// version reads protocol name and level [MQTT-3.1.2-1] [MQTT-3.1.2-2], then looks at the fixed
// header again by the rules of that version.
func (p *Connect) version(r *reader, frame []byte) {
	name := string(r.binary())
	level := r.byte()
	if r.err != nil {
		return
	}
	p.Bridge = level&connectBridge != 0
	level &^= connectBridge
	switch {
	case name == "MQIsdp":
		p.Version = V31
	case name != "MQTT":
		r.fail(errProtocol)
		return
	case level < byte(V5):
		p.Version = V311
	default:
		p.Version = V5
	}
	if Version(level) != p.Version {
		r.fail(errVersion)
		return
	}
	if err := openFixed(frame, CONNECT, p.Version).err; err != nil {
		r.fail(err)
	}
}

// flags takes the connect flags apart. In 3.1 the unused ones are not looked at.
func (p *Connect) flags(r *reader, flags byte) {
	qos := QoS(flags & connectWillQoS >> connectWillQoSShift)
	retain := flags&connectWillRetain != 0
	p.CleanStart = flags&connectCleanStart != 0
	p.HasWill = flags&connectWill != 0
	p.HasUsername = flags&connectUsername != 0
	p.HasPassword = flags&connectPassword != 0
	if p.HasWill {
		p.Will.QoS, p.Will.Retain = qos, retain
	}
	switch {
	case flags&connectReserved != 0 && p.Version != V31:
		r.fail(errReserved)
	case p.HasWill && qos > ExactlyOnce:
		r.fail(errWillQoS)
	case !p.HasWill && qos != 0 && p.Version != V31:
		r.fail(errWillQoS0)
	case !p.HasWill && retain && p.Version != V31:
		r.fail(errWillFlag)
	case p.HasPassword && !p.HasUsername && p.Version != V5:
		r.fail(errPassword3)
	}
}

func (p *Connect) props(r *reader) {
	var seen uint64
	p.Props, seen = r.props(CONNECT)
	if seen&(1<<AuthenticationData) != 0 && seen&(1<<AuthenticationMethod) == 0 {
		r.fail(errAuthData)
	}
}

func (p *Connect) will(r *reader) {
	if p.Version == V5 {
		p.Will.Props, _ = r.props(willProps)
	}
	p.Will.Topic = r.name()
	p.Will.Payload = r.binary()
}

// credentials reads user name and password. In 3.1 the remaining length goes before the flags:
// strings that are announced but absent are as if not announced.
func (p *Connect) credentials(r *reader, flags byte) {
	if p.Version == V31 && r.err == nil {
		p.HasUsername = p.HasUsername && len(r.rest) > 0
	}
	if p.HasUsername {
		p.Username = r.text()
	}
	if p.Version == V31 && r.err == nil {
		p.HasPassword = flags&connectPassword != 0 && len(r.rest) > 0
	}
	if p.HasPassword {
		p.Password = r.binary()
	}
}

// Append appends the packet in p.Version.
func (p *Connect) Append(dst []byte) []byte {
	dst = appendHeader(dst, byte(CONNECT)<<4, p.size())
	name := "MQTT"
	if p.Version == V31 {
		name = "MQIsdp"
	}
	level := byte(p.Version)
	if p.Bridge {
		level |= connectBridge
	}
	dst = appendBinary(dst, []byte(name))
	dst = appendUint16(append(dst, level, p.flagBits()), p.KeepAlive)
	if p.Version == V5 {
		dst = appendProps(dst, p.Props)
	}
	dst = appendBinary(dst, p.ClientID)
	if p.HasWill {
		if p.Version == V5 {
			dst = appendProps(dst, p.Will.Props)
		}
		dst = appendBinary(appendBinary(dst, p.Will.Topic), p.Will.Payload)
	}
	if p.HasUsername {
		dst = appendBinary(dst, p.Username)
	}
	if p.HasPassword {
		dst = appendBinary(dst, p.Password)
	}
	return dst
}

// size is the remaining length.
// PlainClientID is true for a client identifier that every server takes: 1 to 23 letters and digits
// [MQTT-3.1.3-5], in 3.1 any 1 to 23 characters. An empty one is left to the rules for it.
func (p *Connect) PlainClientID() bool {
	if p.Version == V31 {
		return utf8.RuneCount(p.ClientID) <= 23
	}
	for _, b := range p.ClientID {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') {
			return false
		}
	}
	return len(p.ClientID) <= 23
}

func (p *Connect) size() int {
	n := 2 + len("MQTT") + 1 + 1 + 2 + propsSize(p.Props, p.Version) + 2 + len(p.ClientID)
	if p.Version == V31 {
		n += len("MQIsdp") - len("MQTT")
	}
	if p.HasWill {
		n += propsSize(p.Will.Props, p.Version) + 2 + len(p.Will.Topic) + 2 + len(p.Will.Payload)
	}
	if p.HasUsername {
		n += 2 + len(p.Username)
	}
	if p.HasPassword {
		n += 2 + len(p.Password)
	}
	return n
}

func (p *Connect) flagBits() byte {
	var flags byte
	if p.CleanStart {
		flags |= connectCleanStart
	}
	if p.HasWill {
		flags |= connectWill | byte(p.Will.QoS)<<connectWillQoSShift
		if p.Will.Retain {
			flags |= connectWillRetain
		}
	}
	if p.HasUsername {
		flags |= connectUsername
	}
	if p.HasPassword {
		flags |= connectPassword
	}
	return flags
}
