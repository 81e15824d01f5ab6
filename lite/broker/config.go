package broker

import (
	"errors"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// PeersMax is how many kernels one kernel can work with: interest is a bit a peer.
const PeersMax = 64

// Never is the session expiry interval of a session that does not expire [MQTT-3.1.2-23].
const Never = 0xFFFFFFFF

// Config is what a kernel is told once. Limits that differ by listener are in Limits.
type Config struct {
	// Self is the kernel's own number, below Peers.
	Self PeerID
	// Peers is how many kernels there are, this one included; 1 is alone.
	Peers int
	// Seed feeds assigned client ids and random choices; the same seed gives the same run.
	Seed uint64
	// Durable makes the kernel write sessions, queues and packet identifiers to the Store.
	// Without it only retained messages are written: for a Store that forgets with the process
	// anyway.
	Durable bool
	// Boot grows with each run over the same Store. Numbers is the highest number of a session
	// that the Store has.
	Boot    uint64
	Numbers uint32
	// Noted, if it is not nil, is true when something beside the kernel was noted since its last
	// Write and goes with the next, such as what a Policy remembers: an acknowledgement waits for
	// it as for the message, and asks for an empty Write if need be.
	Noted func() bool
	// Judging, if it is not nil, is called with true before a Policy is asked about a PUBLISH that
	// is to be acknowledged, with false when its Write was asked for or none was needed. What is
	// noted in between goes with that Write, and is taken back if it is refused.
	Judging func(bool)
	// HeldBytesMax bounds the packets kept of a connection whose CONNECT is not answered yet.
	HeldBytesMax int
	// SessionsMax bounds the sessions of this kernel, connected or not; a client that needs one
	// more is refused. Sessions that come from other kernels are taken in beyond it.
	SessionsMax int
	// QueuedMessagesMax and QueuedBytesMax bound what waits for all sessions of this kernel; 0 is
	// no bound. What waits for sessions that sleep counts when it has been looked at.
	QueuedMessagesMax int
	QueuedBytesMax    int
	// SharesMax bounds the shared subscription groups of one filter.
	SharesMax int
}

// Default is a kernel alone.
func Default() Config {
	return Config{
		Peers:        1,
		Seed:         1,
		HeldBytesMax: 256 << 10, // a window of small messages sent right behind CONNECT
		SharesMax:    1024,
		SessionsMax:  1_000_000, // with nothing in them some 1 GB
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Peers < 1 || c.Peers > PeersMax:
		return errors.New("broker: peers: must be 1 to 64")
	case int(c.Self) >= c.Peers:
		return errors.New("broker: self: must be below peers")
	case c.QueuedMessagesMax < 0 || c.QueuedBytesMax < 0:
		return errors.New("broker: queued: not below 0")
	case c.HeldBytesMax < 0 || c.SharesMax < 1 || c.SessionsMax < 1:
		return errors.New("broker: limits: must be positive")
	}
	return nil
}

// Limits bound what one client of a listener may use. What MQTT 5 can tell the client, CONNACK
// tells.
type Limits struct {
	// ConnectTimeout is how long a connection may take to send CONNECT and be answered.
	ConnectTimeout Time
	// PacketBytesMax bounds one control packet [MQTT-3.1.2-24].
	PacketBytesMax uint32
	QoSMax         mqtt.QoS
	// RetainOff, WildcardOff, SharedOff and IdentifiersOff refuse what the standard lets a server
	// not support.
	RetainOff      bool
	WildcardOff    bool
	SharedOff      bool
	IdentifiersOff bool
	// PayloadCheck refuses a message that says it is UTF-8 and is not (5.0 section 3.3.2.3.2).
	PayloadCheck bool
	// ClientIDStrict lets in only the client identifiers that every server must [MQTT-3.1.3-5]: at
	// most 23 letters and digits; in 3.1 at most 23 characters. AssignOff refuses an empty one.
	ClientIDStrict bool
	AssignOff      bool
	// ReceiveMax is how many QoS 1 and 2 messages a client may send before they are acknowledged.
	ReceiveMax uint16
	// InflightMax is how many are sent to a client before it acknowledged them; the client's own
	// Receive Maximum may be lower.
	InflightMax uint16
	// TopicAliasMax is the highest alias a client may set; TopicAliasOutMax the highest set for it.
	TopicAliasMax    uint16
	TopicAliasOutMax uint16
	// QueueMessagesMax and QueueBytesMax bound what waits for one session; QueuePolicy says what
	// becomes of a message above them, or above what may wait for all.
	QueueMessagesMax int
	QueueBytesMax    int
	QueuePolicy      QueuePolicy
	// KeepAliveMax, seconds, is told to a client that asks for more or for none; 0 accepts any.
	KeepAliveMax uint16
	// SessionExpiryMax, seconds; Never accepts any.
	SessionExpiryMax uint32
	SubscriptionsMax int
	TopicLevelsMax   int
	ClientIDBytesMax int
}

// DefaultLimits suit devices and services behind one edge broker.
func DefaultLimits() Limits {
	return Limits{
		ConnectTimeout:   10_000,  // as long as a TLS handshake may take
		PacketBytesMax:   1 << 20, // 1 MiB: above any telemetry, below any firmware image
		QoSMax:           mqtt.ExactlyOnce,
		ReceiveMax:       1024, // more than clients use, 64 × less than the standard's default
		InflightMax:      1024,
		TopicAliasMax:    64, // × topic length = what one connection can make us keep
		TopicAliasOutMax: 64,
		QueueMessagesMax: 10_000,
		QueueBytesMax:    16 << 20,
		SessionExpiryMax: 7 * 24 * 3600, // a week away and the session is gone
		SubscriptionsMax: 100_000,
		TopicLevelsMax:   128,
		ClientIDBytesMax: 1024,
	}
}

// Validate says what is wrong with l.
func (l *Limits) Validate() error {
	switch {
	case l.PacketBytesMax < 64:
		return errors.New("broker: packet bytes: at least 64")
	case l.QoSMax > mqtt.ExactlyOnce:
		return errors.New("broker: qos: 0, 1 or 2")
	case l.ReceiveMax == 0 || l.InflightMax == 0:
		return errors.New("broker: receive and inflight: at least 1")
	case l.InflightMax > ringMax:
		return errors.New("broker: inflight: at most 32768")
	case l.QueueMessagesMax < 0 || l.QueueBytesMax < 0 || l.SubscriptionsMax < 0:
		return errors.New("broker: queue and subscriptions: not below 0")
	case l.TopicLevelsMax < 1 || l.ClientIDBytesMax < 23:
		return errors.New("broker: topic levels at least 1, client id at least 23 bytes")
	}
	return nil
}
