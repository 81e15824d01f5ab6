// Package configs knows what an HPMQ broker can be told and where it is told: one YAML file, HPMQ_
// variables of the environment, and flags, each over the one before. It is the only place that
// reads them.
//
// It does not know what a setting does: it opens no socket, looks at no component and asks no name
// server. What it answers is a Config that is whole, or every fault at once, each with its place.
package configs

import "time"

// Memory as DataDir keeps all state in memory; nothing is written to disk.
const Memory = "memory"

// Off as Admin.Bind runs the broker without its admin API, and as Secure.ClientAuth without client
// certificates.
const Off = "off"

// Config is all that a broker can be told. The zero value is of no use; start from Default.
type Config struct {
	// DataDir is where state is kept, or Memory.
	DataDir string `yaml:"data_dir"`
	// NodeName names this broker to others and in answers; empty takes the name of the machine.
	NodeName string `yaml:"node_name"`
	// Loops is how many event loops serve connections; 0 takes one per CPU core.
	Loops int `yaml:"loops"`
	// SysInterval is the time between two looks at the numbers below $SYS; 0 tells none.
	SysInterval Duration `yaml:"sys_interval"`
	// InputBytesMax bounds what all connections together hold of packets that have not ended.
	InputBytesMax Size `yaml:"input_bytes_max"`
	// SessionsMax counts the sessions of the broker, connected or not.
	SessionsMax int `yaml:"sessions_max"`
	// QueuedMessagesMax and QueuedBytesMax bound what waits for all sessions together, 0 is no
	// bound.
	QueuedMessagesMax int  `yaml:"queued_messages_max"`
	QueuedBytesMax    Size `yaml:"queued_bytes_max"`
	// RetainedMessagesMax and RetainedBytesMax bound the retained messages of the broker; bytes are
	// those of topics, properties and payloads.
	RetainedMessagesMax int  `yaml:"retained_messages_max"`
	RetainedBytesMax    Size `yaml:"retained_bytes_max"`
	// Store is how what must outlive the process is kept in DataDir.
	Store Store `yaml:"store"`

	Admin Admin `yaml:"admin"`
	Log   Log   `yaml:"log"`
	Wasm  Wasm  `yaml:"wasm"`
	// Remember bounds what components make the broker remember.
	Remember Remember `yaml:"remember"`
	// Trust says whose bundles may be linked.
	Trust Trust `yaml:"trust"`
	// Bundles says where bundles are looked for that take the place of those that are linked.
	Bundles Bundles `yaml:"bundles"`
	// Limits hold for every listener that does not say otherwise. It stands before Listeners: the
	// decoder starts each listener from it.
	Limits    Limits     `yaml:"limits"`
	Listeners []Listener `yaml:"listeners"`
}

// Store is how what must outlive the process is kept.
type Store struct {
	// Memory is that of the machine: the store takes a fifth of it at most.
	Memory Size `yaml:"memory"`
	// Interval is how much, in time, a power cut may take back where durability is interval.
	Interval Duration `yaml:"interval"`
	// PendingBytesMax bounds what waits for the device; more is refused.
	PendingBytesMax Size `yaml:"pending_bytes_max"`
	// FreeBytesMin is how much of the file system must be free for anything new to be kept.
	FreeBytesMin Size `yaml:"free_bytes_min"`
	// BackupsMax bounds how many backups there are in DataDir.
	BackupsMax int `yaml:"backups_max"`
}

// What Limits.Durability can be.
const (
	Sync       = "sync"     // what is acknowledged is safe from a power cut
	Interval   = "interval" // what is acknowledged is kept; a power cut takes the last moments back
	Forgetting = "memory"   // sessions end with the broker
)

// Durabilities lists what Limits.Durability can be.
func Durabilities() []string { return []string{Sync, Interval, Forgetting} }

// What Limits.QueuePolicy can be.
const (
	Newest = "newest" // the message that comes is dropped
	Oldest = "oldest" // those that have waited longest are
	Reject = "reject" // the message that comes is dropped, and its publisher is told
)

// QueuePolicies lists what Limits.QueuePolicy can be.
func QueuePolicies() []string { return []string{Newest, Oldest, Reject} }

// Admin is the HTTP API for operators.
type Admin struct {
	// Bind is host:port, or Off.
	Bind string `yaml:"bind"`
	// TokenFile holds the bearer token asked for when Bind is not loopback. Empty:
	// DataDir/admin.token, created when it is missing.
	TokenFile string `yaml:"token_file"`
}

// Log is what goes to standard error.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

// What the record of failures has.
const (
	FailuresFull     = "full"
	FailuresRedacted = "redacted" // no topics, client ids and lines that components wrote
)

// Wasm bounds the engine that runs components.
type Wasm struct {
	// Interpreter forbids the compiler, which amd64 and arm64 use by default.
	Interpreter bool `yaml:"interpreter"`
	// ModuleMax is the size of a .wasm file.
	ModuleMax Size `yaml:"module_max"`
	// CacheMax is the size of the folder with compiled code, DataDir/cache; the oldest goes first.
	CacheMax Size `yaml:"cache_max"`
	// GuestsMax is how many instances may live at once; a listener has one per component and loop.
	GuestsMax uint32 `yaml:"guests_max"`
	// MemoryMax is the memory of one instance, in steps of 64 KiB.
	MemoryMax Size `yaml:"memory_max"`
	// FuelMax is what one call may spend, in units of about one wasm instruction; a component with
	// a large configuration gets more, see link.Config.FuelGrowthMax.
	FuelMax uint64 `yaml:"fuel_max"`
	// StartFuelMax is what starting an instance may spend, and what configuring it may.
	StartFuelMax uint64 `yaml:"start_fuel_max"`
	// AuthMemoryMax and AuthFuelMax are those of authenticators, which hash slowly on purpose and
	// run beside the loops.
	AuthMemoryMax Size   `yaml:"auth_memory_max"`
	AuthFuelMax   uint64 `yaml:"auth_fuel_max"`
	// DepthMax is how deep the calls inside a component may nest.
	DepthMax uint32 `yaml:"depth_max"`
	// ListenerGuestsMax is how many instances all components of a listener may have together, and
	// ListenerMemoryMax what their memories may take; 0 is no bound.
	ListenerGuestsMax uint32 `yaml:"listener_guests_max"`
	ListenerMemoryMax Size   `yaml:"listener_memory_max"`
	// Failures is full or redacted: what the record of failures has of clients and of what
	// components say.
	Failures string `yaml:"failures"`
}

// Remember bounds what components make the broker remember, by kv and history. Bytes count keys or
// topics, values or payloads, and 128 for each.
type Remember struct {
	// KVEntriesMax and KVBytesMax are of one component, KVTotalEntriesMax and KVTotalBytesMax of
	// all.
	KVEntriesMax      int  `yaml:"kv_entries_max"`
	KVBytesMax        Size `yaml:"kv_bytes_max"`
	KVTotalEntriesMax int  `yaml:"kv_total_entries_max"`
	KVTotalBytesMax   Size `yaml:"kv_total_bytes_max"`
	// HistoryTopicsMax and HistoryBytesMax are of one listener: the least used topics go.
	// HistoryTotalBytesMax is of all: above it no new topics are taken in.
	HistoryTopicsMax     int  `yaml:"history_topics_max"`
	HistoryBytesMax      Size `yaml:"history_bytes_max"`
	HistoryTotalBytesMax Size `yaml:"history_total_bytes_max"`
}

// Limits bound what the clients of one listener may ask for and what the broker keeps for them.
type Limits struct {
	// ConnectionsMax counts the listener's connections.
	ConnectionsMax int `yaml:"connections_max"`
	// ConnectTimeout is how long a connection may take to send CONNECT and be answered.
	ConnectTimeout Duration `yaml:"connect_timeout"`
	// PacketBytesMax bounds one control packet [MQTT-3.1.2-24].
	PacketBytesMax Size `yaml:"packet_bytes_max"`
	// PacketTimeout is how long a packet may take from its first byte to its last; 0 is for ever.
	PacketTimeout Duration `yaml:"packet_timeout"`
	QoSMax        uint8    `yaml:"qos_max"`
	// Retain, WildcardSubscriptions, SharedSubscriptions and SubscriptionIdentifiers say whether
	// clients may use them.
	Retain                  bool `yaml:"retain"`
	WildcardSubscriptions   bool `yaml:"wildcard_subscriptions"`
	SharedSubscriptions     bool `yaml:"shared_subscriptions"`
	SubscriptionIdentifiers bool `yaml:"subscription_identifiers"`
	// PayloadCheck refuses messages that say they are UTF-8 and are not.
	PayloadCheck bool `yaml:"payload_check"`
	// ClientIDStrict takes only the client identifiers that every broker must take: at most 23
	// letters and digits; of MQTT 3.1 at most 23 characters of any kind. ClientIDAssign gives one
	// to a client that has none.
	ClientIDStrict bool `yaml:"client_id_strict"`
	ClientIDAssign bool `yaml:"client_id_assign"`
	// ReceiveMax is how many QoS 1 and 2 messages a client may send before they are acknowledged;
	// InflightMax is the same the other way.
	ReceiveMax  uint16 `yaml:"receive_max"`
	InflightMax uint16 `yaml:"inflight_max"`
	// TopicAliasMax is the highest topic alias, either way.
	TopicAliasMax    uint16 `yaml:"topic_alias_max"`
	TopicLevelsMax   int    `yaml:"topic_levels_max"`
	ClientIDBytesMax int    `yaml:"client_id_bytes_max"`
	SubscriptionsMax int    `yaml:"subscriptions_max"`
	// Durability is sync, interval or memory.
	Durability string `yaml:"durability"`
	// QueueMessagesMax and QueueBytesMax bound what waits for one session. QueuePolicy is oldest,
	// newest or reject: what becomes of a message above them, or above what may wait for all.
	QueueMessagesMax int    `yaml:"queue_messages_max"`
	QueueBytesMax    Size   `yaml:"queue_bytes_max"`
	QueuePolicy      string `yaml:"queue_policy"`
	// OutboundBytesMax bounds what waits in one connection's send buffer.
	OutboundBytesMax Size `yaml:"outbound_bytes_max"`
	// KeepAliveMax is told to a client that asks for more or for none; 0 accepts any.
	KeepAliveMax Duration `yaml:"keep_alive_max"`
	// SessionExpiryMax is how long a session outlives its connection; Never accepts any.
	SessionExpiryMax Duration `yaml:"session_expiry_max"`

	// What follows bounds how fast; 0 is no bound. What is above waits where it is, nothing is lost
	// by it.

	// ConnectsPerSecond is of the listener: above it connections wait to be accepted.
	ConnectsPerSecond int `yaml:"connects_per_second"`
	// MessagesInPerSecond counts PUBLISH packets of one connection, BytesInPerSecond all it sends:
	// above it the socket is not read.
	MessagesInPerSecond int  `yaml:"messages_in_per_second"`
	BytesInPerSecond    Size `yaml:"bytes_in_per_second"`
	// MessagesOutPerSecond and BytesOutPerSecond are to one connection: above it messages wait in
	// the queue of the session, within its limits.
	MessagesOutPerSecond int  `yaml:"messages_out_per_second"`
	BytesOutPerSecond    Size `yaml:"bytes_out_per_second"`
	// ListenerMessagesInPerSecond and ListenerBytesInPerSecond are of all connections together.
	ListenerMessagesInPerSecond int  `yaml:"listener_messages_in_per_second"`
	ListenerBytesInPerSecond    Size `yaml:"listener_bytes_in_per_second"`
}

// Link says which components serve which role, in the order they are asked. A role the file leaves
// out has the default component; an empty list has none.
type Link struct {
	Authenticator []Component `yaml:"authenticator"`
	Authorizer    []Component `yaml:"authorizer"`
	Transformer   []Component `yaml:"transformer"`
	Deduplicator  []Component `yaml:"deduplicator"`
	Router        []Component `yaml:"router"`
	// Worker has no default component.
	Worker []Component `yaml:"worker,omitempty"`
	// Codec is one at most, and none unless the file says so: then the listener speaks MQTT.
	Codec []Component `yaml:"codec,omitempty"`
}

// Component is one component in a role.
type Component struct {
	// Use is the name of a default component, the path of a .wasm file, or that of a bundle, a
	// folder or a .tar; Load makes a relative path relative to the folder of the file that names
	// it. Or it is a bundle in a registry, see InRegistry, pinned to its digest.
	Use string `yaml:"use"`
	// Config reaches the component as JSON.
	Config Document `yaml:"config,omitempty"`
	// Env are the variables that the component finds in its environment.
	Env map[string]string `yaml:"env,omitempty"`
	// Grants name the capabilities the component may import beside log and config. Nil gives a
	// default component what its manifest asks for, and any other none.
	Grants []string `yaml:"grants,omitempty"`
	// OnFault is open or closed; empty takes what is usual for the role.
	OnFault string `yaml:"on_fault,omitempty"`
	// Fuel of one call, as it is, and Memory of one instance; 0 takes the bounds of Wasm.
	Fuel   uint64 `yaml:"fuel,omitempty"`
	Memory Size   `yaml:"memory,omitempty"`
}

// Document is free-form configuration of a component: a map that JSON can hold.
type Document map[string]any

// Default is the broker that runs when it is told nothing: one listener and the admin API, both on
// loopback, with every default component linked.
func Default() Config {
	c := Config{
		DataDir:     "./hpmq-data",
		Admin:       Admin{Bind: "127.0.0.1:18083"},
		Log:         Log{Level: "info", Format: "text"},
		SysInterval: Duration(10 * time.Second), // as often as mosquitto
		Wasm:        DefaultWasm(),
		Limits:      DefaultLimits(),

		InputBytesMax:       256 * MiB, // 256 of the largest packets, 65,536 small ones
		SessionsMax:         1_000_000, // with nothing in them some 1 GB
		QueuedMessagesMax:   10_000_000,
		QueuedBytesMax:      8 * GiB,
		RetainedMessagesMax: 1_000_000,
		RetainedBytesMax:    256 * MiB, // a million of 256 bytes
		Store: Store{
			Memory:          1024 * MiB,                      // a server
			Interval:        Duration(50 * time.Millisecond), // 20 syncs a second at most
			PendingBytesMax: 64 * MiB,
			FreeBytesMin:    256 * MiB, // what the database needs to tidy up
			BackupsMax:      8,         // a week of days, with one to spare
		},
		Remember: Remember{
			KVEntriesMax: 100_000, KVBytesMax: 16 * MiB,
			KVTotalEntriesMax: 1_000_000, KVTotalBytesMax: 64 * MiB,
			HistoryTopicsMax: 65_536, HistoryBytesMax: 16 * MiB,
			HistoryTotalBytesMax: 64 * MiB,
		},
		Trust: DefaultTrust(), Bundles: DefaultBundles(),
	}
	c.Listeners = []Listener{DefaultListener("mqtt", "tcp://127.0.0.1:1883", c.Limits)}
	return c
}

// DefaultWasm is generous for a policy and tight for a loop gone wild.
func DefaultWasm() Wasm {
	return Wasm{
		ModuleMax:     16 * MiB,  // a Go guest is 0.5–4 MiB, a JS engine up to 10
		CacheMax:      256 * MiB, // 30 versions of all components
		GuestsMax:     4096,      // 5 components on 64 loops for 12 listeners
		MemoryMax:     16 * MiB,
		FuelMax:       5_000_000,     // 2 ms of native code; usual calls take 200,000
		StartFuelMax:  5_000_000_000, // 2 s: 250 KiB of rules
		AuthMemoryMax: 16 * MiB,
		AuthFuelMax:   25_000_000_000, // 800,000 rounds of PBKDF2
		DepthMax:      1024,
		Failures:      FailuresFull,
	}
}

// DefaultLimits suit devices and services behind one edge broker.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsMax:          100_000,
		ConnectTimeout:          Duration(10 * time.Second), // as long as a TLS handshake may take
		PacketBytesMax:          1 * MiB,                    // above any telemetry, below firmware
		PacketTimeout:           Duration(30 * time.Second), // 1 MiB at 35 KB a second
		QoSMax:                  2,
		Retain:                  true,
		WildcardSubscriptions:   true,
		SharedSubscriptions:     true,
		SubscriptionIdentifiers: true,
		ClientIDAssign:          true,
		ReceiveMax:              1024, // more than clients use, 64 × less than the default
		InflightMax:             1024,
		TopicAliasMax:           64, // × topic length = what one connection can make us keep
		TopicLevelsMax:          128,
		ClientIDBytesMax:        1024,
		SubscriptionsMax:        100_000,
		Durability:              Sync,
		QueueMessagesMax:        10_000,
		QueueBytesMax:           16 * MiB,
		QueuePolicy:             Newest,
		OutboundBytesMax:        1 * MiB,
		SessionExpiryMax:        Duration(7 * 24 * time.Hour), // a week away, and it is gone
	}
}
