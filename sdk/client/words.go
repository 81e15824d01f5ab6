package client

import (
	"strings"
	"time"
)

// Status is how a broker is.
type Status struct {
	Version       string    `json:"version" doc:"Version of the program"`
	Node          string    `json:"node" doc:"Name of the broker"`
	Started       time.Time `json:"started"`
	UptimeSeconds int64     `json:"uptime_seconds"`
	Platform      string    `json:"platform" example:"go1.26 linux/arm64"`
	DataDir       string    `json:"data_dir" doc:"Folder of the state, or memory"`
	Loops         int       `json:"loops" doc:"Event loops that serve connections"`
	Totals        Totals    `json:"totals"`
	Alarms        []Alarm   `json:"alarms" doc:"What an operator must see to"`
}

// Alarm is something an operator must see to. It ends by itself when its cause does.
type Alarm struct {
	Name  string    `json:"name" example:"storage_full"`
	Since time.Time `json:"since"`
	Text  string    `json:"text" doc:"For a person to read"`
}

// Totals count what all loops hold and did. Connections, sessions, subscriptions and queued are
// those of now; the rest only grows.
type Totals struct {
	Connections      int    `json:"connections"`
	ConnectionsTotal uint64 `json:"connections_total"`
	Sessions         int    `json:"sessions"`
	Subscriptions    int    `json:"subscriptions"`
	Queued           int    `json:"queued" doc:"Messages that wait for a client"`
	QueuedBytes      int    `json:"queued_bytes" doc:"Their topics, properties and payloads"`
	PacketsReceived  uint64 `json:"packets_received"`
	MessagesReceived uint64 `json:"messages_received"`
	MessagesSent     uint64 `json:"messages_sent"`
	DroppedSlow      uint64 `json:"dropped_slow" doc:"QoS 0, the connection had no room"`
	DroppedQueue     uint64 `json:"dropped_queue" doc:"Above a session's queue limits"`
	DroppedTotal     uint64 `json:"dropped_total" doc:"Above what may wait for all sessions"`
	DroppedOldest    uint64 `json:"dropped_oldest" doc:"Waited longest in a full queue"`
	Rejected         uint64 `json:"rejected" doc:"Queue full, the publisher was told"`
	DroppedSize      uint64 `json:"dropped_size" doc:"Above a client's maximum packet size"`
	DroppedExpired   uint64 `json:"dropped_expired" doc:"The expiry interval passed"`
	DroppedPolicy    uint64 `json:"dropped_policy" doc:"A component dropped it"`
	Suppressed       uint64 `json:"suppressed" doc:"A deduplicator called it no news"`
	Denied           uint64 `json:"denied" doc:"An authenticator or authorizer refused it"`
}

// Linked is a component that serves a role of a listener.
type Linked struct {
	Listener string `json:"listener"`
	Role     string `json:"role"`
	Position int    `json:"position" doc:"Place in the chain of the role, from 0"`
	Name     string `json:"name" doc:"Name of the component"`
	Version  string `json:"version" doc:"Its own, or that of its bundle, or empty"`
	// Bundle is what it came in, empty without one.
	Bundle        string `json:"bundle,omitempty" doc:"Name of the bundle it came in"`
	BundleVersion string `json:"bundle_version,omitempty" doc:"Version of that"`

	Form     string   `json:"form" doc:"component, or core: a core module"`
	Contract string   `json:"contract" doc:"Version of the contracts it is asked in, such as 0.1"`
	Digest   string   `json:"digest" doc:"SHA-256 of the .wasm file"`
	Size     int      `json:"size" doc:"Bytes of the .wasm file"`
	Grants   []string `json:"grants" doc:"Capabilities it may import"`
	OnFault  string   `json:"on_fault" doc:"What holds when it fails: open or closed"`
	Calls    uint64   `json:"calls"`
	Faults   uint64   `json:"faults" doc:"Calls that trapped or ran out of fuel"`
	Breaker  string   `json:"breaker" doc:"closed while it works, open while it is at rest"`
	// Absent are the questions that found no instance: on_fault answered them.
	Absent        uint64    `json:"absent,omitempty" doc:"Questions that found no instance"`
	BreakerSince  time.Time `json:"breaker_since,omitzero" doc:"Absent if it was never open"`
	BreakerOpened uint64    `json:"breaker_opened,omitempty" doc:"How often it opened"`
	Since         time.Time `json:"since,omitzero" doc:"When it was linked in this place"`
	Guests        int       `json:"guests,omitempty" doc:"Instances it may have"`
	// MemoryBytesMax is of all those instances together.
	MemoryBytesMax uint64 `json:"memory_bytes_max,omitempty" doc:"What they may take together"`
	// LastFault is for a person to read.
	LastFault string `json:"last_fault,omitempty"`
	// Previous is unknown of a file or a bundle of the configuration that is not linked warm.
	Previous     string `json:"previous,omitempty" doc:"Digest a rollback brings back"`
	PreviousName string `json:"previous_name,omitempty" doc:"Its name, if it is not warm"`
	Added        bool   `json:"added,omitempty" doc:"A rollback takes it out"`
}

// Swap is a component to put in a place: the one with the name Use that comes with the broker, or
// Wasm. The position after the last adds a component. Config and OnFault left out stay as they are.
// Grants left out stay if the component has the name of the old one; else a default component gets
// what its manifest asks for, and another none.
type Swap struct {
	Listener string         `json:"listener" maxLength:"64"`
	Role     string         `json:"role" maxLength:"32" example:"authorizer"`
	Position int            `json:"position,omitempty" minimum:"0" maximum:"15"`
	Use      string         `json:"use,omitempty" maxLength:"256" doc:"Name of the component"`
	Wasm     []byte         `json:"wasm,omitempty" doc:"The component, if it is not a default one"`
	Config   map[string]any `json:"config,omitzero" doc:"For the component"`
	Grants   []string       `json:"grants,omitzero" maxItems:"16"`
	OnFault  string         `json:"on_fault,omitempty" enum:"open,closed"`
	Force    bool           `json:"force,omitempty" doc:"Take an older one, or one in quarantine"`
	By       string         `json:"by,omitempty" maxLength:"1024" doc:"Who says so, for the audit"`
}

// Swapped is what a swap or a rollback did. Old is empty if the place was free, New if it is now.
type Swapped struct {
	Listener      string `json:"listener"`
	Role          string `json:"role"`
	Position      int    `json:"position"`
	Old           Linked `json:"old"`
	New           Linked `json:"new"`
	PrepareMillis int64  `json:"prepare_ms" doc:"Compiling and checking, beside the old one"`
	CommitMicros  int64  `json:"commit_us" doc:"How long the loops stood, at most"`
	// Keeps are the grants that nobody named in the request.
	Keeps []string `json:"keeps,omitempty" doc:"Grants from that of its name before it"`
	// Unrecorded says what a restart would make of it, while it is not on record.
	Unrecorded string `json:"unrecorded,omitempty" doc:"While it is not on record"`
}

// Rollback names the role whose last change is to be undone.
type Rollback struct {
	Listener string `json:"listener" maxLength:"64"`
	Role     string `json:"role" maxLength:"32" example:"authorizer"`
	By       string `json:"by,omitempty" maxLength:"1024" doc:"Who says so, for the audit"`
}

// Session is what the broker keeps for a client id.
type Session struct {
	ClientID      string `json:"client_id"`
	Username      string `json:"username"`
	Address       string `json:"address"`
	Listener      string `json:"listener"`
	Version       int    `json:"version" doc:"MQTT protocol version: 3, 4 or 5"`
	Connected     bool   `json:"connected"`
	Subscriptions int    `json:"subscriptions"`
	Queued        int    `json:"queued" doc:"Messages that wait for the client"`
	Inflight      int    `json:"inflight" doc:"Messages sent and not acknowledged"`
}

// Error is a refusal of the broker, as RFC 9457 has it.
type Error struct {
	Status int      `json:"status"`
	Title  string   `json:"title"`
	Detail string   `json:"detail"`
	Errors []Detail `json:"errors"`
}

// Detail is one fault of a request.
type Detail struct {
	Message  string `json:"message"`
	Location string `json:"location"`
}

// Error says what the broker said.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = strings.ToLower(e.Title)
	}
	for _, d := range e.Errors {
		text += "; " + d.Message
		if d.Location != "" {
			text += " (" + d.Location + ")"
		}
	}
	return text
}
