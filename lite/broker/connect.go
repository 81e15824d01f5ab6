package broker

import (
	"strconv"

	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// hello is what CONNECT said, kept until CONNACK goes out.
type hello struct {
	clean      bool
	assigned   bool // the client id is ours
	expiry     uint32
	keepAlive  uint16
	keepSet    bool // the keep alive is not the client's
	will       *will
	subject    string // of a verified client certificate
	step       uint32
	wantsInfo  bool
	grant      Grant
	held       []byte // packets that came behind CONNECT
	present    bool   // the session was there
	reauth     bool
	hasName    bool
	hasPass    bool
	password   []byte
	expirySent uint32
}

// onConnect starts the way of a connection: decoded, judged by the Authenticator (perhaps by
// event), its session claimed from whoever has it (perhaps by event), then let in.
func (k *Kernel) onConnect(c *Conn, frame []byte) {
	var p mqtt.Connect
	err := p.Decode(frame)
	c.version = p.Version
	if c.version == 0 {
		k.close(c) // not MQTT: no answer fits [MQTT-3.1.2-1]
		return
	}
	c.state = authenticating
	if c.hello == nil {
		c.hello = &hello{}
	}
	if err != nil {
		k.fail(c, err)
		return
	}
	if r := k.greet(c, &p); r != mqtt.Success {
		k.disconnect(c, r)
		return
	}
	k.ask(c, mqtt.Props(p.Props))
}

// greet checks what CONNECT asks for and keeps it in c.
func (k *Kernel) greet(c *Conn, p *mqtt.Connect) mqtt.ReasonCode {
	lim := &c.lis.Limits
	if r := k.nameClient(c, p, lim); r != mqtt.Success {
		return r
	}
	h := c.hello
	h.clean, h.hasName, h.hasPass = p.CleanStart, p.HasUsername, p.HasPassword
	h.password = append([]byte(nil), p.Password...)
	c.who.Username = string(p.Username)
	c.who.Version = c.version
	k.readConnect(c, p, lim)
	if !p.HasWill {
		return mqtt.Success
	}
	switch {
	case p.Will.QoS > lim.QoSMax:
		return mqtt.QoSNotSupported // [MQTT-3.2.2-12]
	case p.Will.Retain && lim.RetainOff:
		return mqtt.RetainNotSupported // [MQTT-3.2.2-13]
	case topic.Levels(p.Will.Topic) > lim.TopicLevelsMax:
		return mqtt.TopicNameInvalid
	case reserved(p.Will.Topic):
		return mqtt.NotAuthorized
	case lim.PayloadCheck && !textual(p.Will.Props, p.Will.Payload):
		return mqtt.PayloadFormatInvalid
	}
	h.will = newWill(&p.Will, c.who.ClientID)
	return mqtt.Success
}

// readConnect takes over keep alive, expiry and the v5 properties, each within the limits. Request
// Problem Information says nothing to us: we send no reason strings and no user properties of our
// own [MQTT-3.1.2-29].
func (k *Kernel) readConnect(c *Conn, p *mqtt.Connect, lim *Limits) {
	h := c.hello
	h.keepAlive = p.KeepAlive
	above := p.KeepAlive == 0 || p.KeepAlive > lim.KeepAliveMax
	if m := lim.KeepAliveMax; m != 0 && above && c.version == mqtt.V5 {
		h.keepAlive, h.keepSet = m, true // [MQTT-3.2.2-21]
	}
	c.sendMax = lim.InflightMax
	if c.version != mqtt.V5 {
		if !p.CleanStart {
			h.expiry = lim.SessionExpiryMax // a v3 session is kept as long as any
		}
		return
	}
	h.expirySent, _ = p.Props.Uint32(mqtt.SessionExpiryInterval)
	h.expiry = min(h.expirySent, lim.SessionExpiryMax)
	if v, ok := p.Props.Uint16(mqtt.ReceiveMaximum); ok {
		c.sendMax = min(c.sendMax, v)
	}
	c.packetMax, _ = p.Props.Uint32(mqtt.MaximumPacketSize)
	if v, ok := p.Props.Uint16(mqtt.TopicAliasMaximum); ok {
		c.aliasMax = min(v, lim.TopicAliasOutMax)
	}
	if m, ok := p.Props.Bytes(mqtt.AuthenticationMethod); ok {
		c.more().method = string(m)
	}
}

// nameClient checks the client id, or assigns one [MQTT-3.1.3-6] [MQTT-3.1.3-8].
func (k *Kernel) nameClient(c *Conn, p *mqtt.Connect, lim *Limits) mqtt.ReasonCode {
	if len(p.ClientID) > lim.ClientIDBytesMax || lim.ClientIDStrict && !p.PlainClientID() {
		return mqtt.ClientIdentifierNotValid
	}
	c.who.ClientID = string(p.ClientID)
	if c.who.ClientID != "" {
		return mqtt.Success
	}
	if lim.AssignOff || c.version == mqtt.V31 || (c.version == mqtt.V311 && !p.CleanStart) {
		return mqtt.ClientIdentifierNotValid
	}
	c.who.ClientID = "auto-" + strconv.FormatUint(uint64(k.cfg.Self), 36) + "-" +
		strconv.FormatUint(k.rng.next(), 36)
	c.hello.assigned = true
	return mqtt.Success
}

// ask puts the question to the Authenticator of the listener.
func (k *Kernel) ask(c *Conn, props mqtt.Props) {
	if c.lis.Auth == nil {
		if c.method() != "" {
			k.disconnect(c, mqtt.BadAuthenticationMethod) // [MQTT-4.12.0-1]
			return
		}
		k.granted(c, Grant{})
		return
	}
	h := c.hello
	cr := Credentials{
		Identity: *c.who, HasUsername: h.hasName, HasPassword: h.hasPass, Password: h.password,
		CertificateSubject: h.subject, Method: c.method(), Step: h.step,
	}
	cr.Data, _ = props.Bytes(mqtt.AuthenticationData)
	t := k.asks.put(ask{kind: askAuth, conn: c})
	if g, ok := c.lis.Auth.Authenticate(t, &cr); ok {
		k.asks.take(t)
		k.granted(c, g)
	}
}

// Authenticated brings the answer of an Authenticator that could not answer at once.
func (k *Kernel) Authenticated(now Time, t Token, g Grant) {
	k.at(now)
	if a, ok := k.asks.take(t); ok && a.kind == askAuth && a.conn.state != closed {
		k.granted(a.conn, g)
	}
}

// granted goes on with the answer of the Authenticator: refused, asked for more, or let in.
func (k *Kernel) granted(c *Conn, g Grant) {
	h := c.hello
	if g.Reason == mqtt.ContinueAuthentication && c.version == mqtt.V5 && c.method() != "" {
		k.challenge(c, mqtt.ContinueAuthentication, g.Data)
		return
	}
	if g.Reason != mqtt.Success {
		k.stats.Denied++
		k.disconnect(c, max(g.Reason, mqtt.UnspecifiedError))
		return
	}
	if h.reauth {
		k.reauthenticated(c, g)
		return
	}
	h.grant, h.password = g, nil
	if g.Username != "" {
		c.who.Username = g.Username
	}
	c.who.Tenant = g.Tenant
	if w := h.will; w != nil && c.lis.Policy != nil {
		r := c.lis.Policy.Authorize(k.now, c.who, ActionWill, w.msg.Topic, w.msg.QoS)
		if r != mqtt.Success {
			k.stats.Denied++
			k.disconnect(c, r)
			return
		}
	}
	c.state = claiming
	k.claim(c)
}

// replay handles the packets that came before CONNACK went out.
func (k *Kernel) replay(c *Conn, held []byte) {
	for len(held) > 0 && c.state == connected {
		n, err := mqtt.Frame(held, c.lis.Limits.PacketBytesMax)
		if err != nil || n == 0 {
			return // they were whole packets when they were held
		}
		k.Packet(k.now, c, held[:n])
		held = held[n:]
	}
}

// connack tells the client what it got and what this listener's limits are [MQTT-3.2.2].
func (k *Kernel) connack(c *Conn, h *hello, present bool) {
	a := mqtt.Connack{SessionPresent: present && c.version >= mqtt.V311}
	if c.version == mqtt.V5 {
		k.prop = k.connackProps(k.prop[:0], c, h)
		a.Props = k.prop
	}
	k.write(c, a.Append(k.buf[:0], c.version))
}

func (k *Kernel) connackProps(p mqtt.Props, c *Conn, h *hello) mqtt.Props {
	lim := &c.lis.Limits
	if h.expiry != h.expirySent {
		p = p.AppendUint32(mqtt.SessionExpiryInterval, h.expiry)
	}
	if lim.ReceiveMax != 65535 {
		p = p.AppendUint16(mqtt.ReceiveMaximum, lim.ReceiveMax)
	}
	if lim.QoSMax < mqtt.ExactlyOnce {
		p = p.AppendByte(mqtt.MaximumQoS, byte(lim.QoSMax))
	}
	p = appendOff(p, mqtt.RetainAvailable, lim.RetainOff)
	p = p.AppendUint32(mqtt.MaximumPacketSize, lim.PacketBytesMax)
	if h.assigned {
		p = p.AppendBytes(mqtt.AssignedClientIdentifier, []byte(c.who.ClientID))
	}
	if lim.TopicAliasMax != 0 {
		p = p.AppendUint16(mqtt.TopicAliasMaximum, lim.TopicAliasMax)
	}
	p = appendOff(p, mqtt.WildcardSubscriptionAvailable, lim.WildcardOff)
	p = appendOff(p, mqtt.SubscriptionIdentifierAvailable, lim.IdentifiersOff)
	p = appendOff(p, mqtt.SharedSubscriptionAvailable, lim.SharedOff)
	if h.keepSet {
		p = p.AppendUint16(mqtt.ServerKeepAlive, h.keepAlive)
	}
	if c.method() != "" {
		p = p.AppendBytes(mqtt.AuthenticationMethod, []byte(c.method()))
		if len(h.grant.Data) > 0 {
			p = p.AppendBytes(mqtt.AuthenticationData, h.grant.Data)
		}
	}
	return p
}

func appendOff(p mqtt.Props, id mqtt.PropID, off bool) mqtt.Props {
	if off {
		return p.AppendByte(id, 0)
	}
	return p
}
