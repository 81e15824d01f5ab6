// Package lines is what the component codec-lines knows: a protocol of lines of text, for devices
// and scripts that have a socket and no MQTT. See README.md.
package lines

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/codec"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
)

// Codec is the codec; one is used by one caller at a time.
type Codec struct {
	keepAlive     uint16
	sessionExpiry uint32

	state state
	bytes [stateBytes]byte
	out   []byte
}

// Configure reads the settings.
func (c *Codec) Configure(config string) (guest.Interest, error) {
	o := settings.Parse(config)
	o.Known("keep_alive", "session_expiry")
	c.keepAlive = uint16(o.Integer("keep_alive", 0, 0, 65535))
	c.sessionExpiry = uint32(o.Integer("session_expiry", 0, 0, 1<<31-1))
	return guest.Interest{}, o.Err()
}

// state is what must be known of a connection.
type state struct {
	connected bool
	// line counts the lines of the client, so that an answer says to which it belongs.
	line uint32
}

// stateBytes is the size of a state: version 1, connected, line.
const stateBytes = 6

// load reads what an earlier call left, of this instance or of another.
func (c *Codec) load(b []byte) {
	c.state = state{}
	if len(b) == stateBytes && b[0] == 1 {
		c.state = state{b[1] != 0, binary.LittleEndian.Uint32(b[2:])}
	}
}

// save is the state in bytes.
func (c *Codec) save() []byte {
	c.bytes = [stateBytes]byte{0: 1}
	if c.state.connected {
		c.bytes[1] = 1
	}
	binary.LittleEndian.PutUint32(c.bytes[2:], c.state.line)
	return c.bytes[:]
}

// Decode reads the whole lines of input, as far as one that it answers itself: the output follows
// the requests.
func (c *Codec) Decode(state, input []byte, out *codec.Decoded) {
	c.load(state)
	c.out = c.out[:0]
	for len(out.Requests) < codec.RequestsMax && len(c.out) == 0 && !out.Close {
		n := bytes.IndexByte(input[out.Consumed:], '\n')
		if n < 0 {
			break
		}
		line := input[out.Consumed : out.Consumed+n]
		out.Consumed += n + 1
		c.state.line++
		c.line(bytes.TrimSuffix(line, []byte("\r")), out)
	}
	if out.Consumed > 0 {
		out.State = c.save()
	}
	out.Output = c.out
}

// line reads one line. An empty one is none.
func (c *Codec) line(line []byte, out *codec.Decoded) {
	word, rest := cut(string(line))
	r, wrong := c.request(word, rest)
	switch {
	case wrong != "":
		c.refuse(c.state.line, wrong)
	case word != "" && (word != "QUIT" || c.state.connected):
		out.Requests = append(out.Requests, r)
	}
	if word == "QUIT" {
		out.Close, out.Reason = true, "QUIT"
	}
}

// request is what a line asks for, or what is wrong with it.
func (c *Codec) request(word, rest string) (r codec.Request, wrong string) {
	r.ID = c.state.line
	switch {
	case word == "":
		return r, ""
	case !utf8.ValidString(word + rest):
		return r, "not UTF-8"
	case word == "PING":
		r.Kind = codec.Ping
	case word == "QUIT":
		r.Kind = codec.Disconnect
	case word == "CONNECT" && c.state.connected:
		return r, "connected already"
	case word != "CONNECT" && !c.state.connected:
		return r, "CONNECT first"
	case word == "CONNECT":
		return c.connect(r, rest)
	case word == "PUB", word == "PUB1", word == "PUB2":
		return publish(r, word, rest)
	case word == "SUB", word == "UNSUB":
		return subscribe(r, word, rest)
	default:
		return r, "no such command"
	}
	return r, ""
}

// connect reads ID [USER [PASSWORD]]; "-" has the broker make an id.
func (c *Codec) connect(r codec.Request, rest string) (codec.Request, string) {
	id, rest := cut(rest)
	user, password := cut(rest)
	if id == "" {
		return r, "CONNECT ID [USER [PASSWORD]]"
	}
	if id == "-" {
		id = ""
	}
	c.state.connected = true
	r.Kind = codec.Connect
	r.Connection = codec.Connection{
		ClientID: plain(id), CleanStart: c.sessionExpiry == 0, SessionExpiry: c.sessionExpiry,
		KeepAlive: c.keepAlive, HasUsername: user != "", Username: plain(user),
		HasPassword: password != "", Password: []byte(plain(password)),
	}
	return r, ""
}

// publish reads TOPIC PAYLOAD.
func publish(r codec.Request, word, rest string) (codec.Request, string) {
	topic, payload := cut(rest)
	if topic == "" {
		return r, word + " TOPIC PAYLOAD"
	}
	r.Kind = codec.Publish
	r.Message = guest.Message{Topic: plain(topic), Payload: []byte(plain(payload))}
	if word != "PUB" {
		r.Message.QoS = guest.QoS(word[3] - '0')
	}
	return r, ""
}

// subscribe reads FILTER [QOS].
func subscribe(r codec.Request, word, rest string) (codec.Request, string) {
	filter, qos := cut(rest)
	if filter == "" || len(qos) > 1 || qos != "" && (word != "SUB" || qos > "2" || qos < "0") {
		return r, map[string]string{"SUB": "SUB FILTER [0, 1 or 2]", "UNSUB": "UNSUB FILTER"}[word]
	}
	r.Filter, r.Kind = plain(filter), codec.Unsubscribe
	if word == "SUB" {
		r.Kind = codec.Subscribe
	}
	if qos != "" {
		r.QoS = guest.QoS(qos[0] - '0')
	}
	return r, ""
}

// Encode writes a line for an event.
func (c *Codec) Encode(state []byte, e *codec.Event, out *codec.Encoded) {
	c.load(state)
	c.out = c.out[:0]
	switch e.Kind {
	case codec.Deliver:
		c.out = append(c.out, "MSG "...)
		c.out = appendEscaped(c.out, e.Message.Topic, true)
		c.out = append(c.out, ' ')
		c.out = appendEscaped(c.out, string(e.Message.Payload), false)
		c.out = append(c.out, '\n')
	case codec.Pong:
		c.out = append(c.out, "PONG\n"...)
	case codec.Disconnected:
		c.refuse(0, reason(e))
	case codec.Connected:
		c.answer(e, "CONNECT "+string(appendEscaped(nil, e.ClientID, true)))
	default:
		c.answer(e, strconv.FormatUint(uint64(e.ID), 10))
	}
	out.Output = c.out
}

// answer writes OK and what, or ERR, the number of the line, and the reason code.
func (c *Codec) answer(e *codec.Event, what string) {
	if e.Failed() {
		c.refuse(e.ID, reason(e))
		return
	}
	c.out = append(append(append(c.out, "OK "...), what...), '\n')
}

func reason(e *codec.Event) string {
	return "reason " + strconv.FormatUint(uint64(e.Reason), 10)
}

func (c *Codec) refuse(line uint32, why string) {
	c.out = append(c.out, "ERR "...)
	c.out = strconv.AppendUint(c.out, uint64(line), 10)
	c.out = append(append(append(c.out, ' '), why...), '\n')
}

// cut is s up to the first space, and what is behind it.
func cut(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, " ")
	return word, rest
}
