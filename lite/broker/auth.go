package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// challenge sends an AUTH that goes on with, or ends, an exchange [MQTT-4.12.0-2].
func (k *Kernel) challenge(c *Conn, r mqtt.ReasonCode, data []byte) {
	k.prop = k.prop[:0].AppendBytes(mqtt.AuthenticationMethod, []byte(c.method()))
	if len(data) > 0 {
		k.prop = k.prop.AppendBytes(mqtt.AuthenticationData, data)
	}
	a := mqtt.Auth{Reason: r, Props: k.prop}
	k.write(c, a.Append(k.buf[:0], c.version))
}

// onAuth takes the next step of an exchange, or starts one anew while connected [MQTT-4.12.1-1].
func (k *Kernel) onAuth(c *Conn, frame []byte) {
	var a mqtt.Auth
	if err := a.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	method, _ := a.Props.Bytes(mqtt.AuthenticationMethod)
	if c.version != mqtt.V5 || c.method() == "" || string(method) != c.method() {
		k.disconnect(c, mqtt.ProtocolError) // [MQTT-4.12.0-5]
		return
	}
	again := a.Reason == mqtt.ReAuthenticate
	switch {
	case again && c.state == connected && c.hello == nil:
		c.hello = &hello{reauth: true}
	case a.Reason == mqtt.ContinueAuthentication && c.hello != nil:
		c.hello.step++
	default:
		k.disconnect(c, mqtt.ProtocolError)
		return
	}
	k.ask(c, a.Props)
}

// reauthenticated ends an exchange that a connected client started. Its name stays what it was.
func (k *Kernel) reauthenticated(c *Conn, g Grant) {
	c.hello = nil
	c.more().authUntil = 0
	if g.ExpiresIn != 0 {
		c.rare.authUntil = k.now + Time(g.ExpiresIn)*1000
	}
	k.watch(c)
	k.challenge(c, mqtt.Success, g.Data)
}
