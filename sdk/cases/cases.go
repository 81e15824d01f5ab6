// Package cases knows how golden cases of a component are written: what it is configured with, what
// it is asked, what it must answer. It asks nobody.
//
// A file holds one case, an object:
//
//	{
//	  "about": "the sentence that this holds the component to",
//	  "config": {"unit": "C"},
//	  "inbound": ["#"],
//	  "calls": [
//	    {"call": "upstream", "who": {"client-id": "dev1"}, "topic": "a", "payload": "21",
//	     "answer": [{"topic": "a", "payload": "21 C"}]}
//	  ]
//	}
//
// or a list of calls, each a case of its own, whose fields of "who" stand beside the others. The
// bytes of topics, payloads, values and passwords are text, or {"hex": "00ff"}, or
// {"repeat": bytes, "times": n}, or a list of these. Answers are in the words of wit/:
//
//	authorize     "allow", "deny", "next" where nothing else matters, or {"decision": "allow"|
//	              "next"|reason code, "scope": "once"|"topic"|"action", "seconds": n}, or these
//	              three in a list
//	upstream,     "keep", "drop", or a list of {"topic", "payload", "qos", "retain"}
//	downstream    (what a component sends as it is, by handle, is such a list, too)
//	check         "news", "repeated", "unchanged"
//	route         "deliver", "drop", or {"redirect", "copies", "reach"}
//	share         "round-robin", "random", "sticky", "topic-hash"
//	on-timer      a number
//	authenticate  "allow", "deny", "next", or {"challenge": bytes}, {"deny": reason code, "text":
//	              text}, {"allow": {"username", "tenant", "expires-in", "data"}}
//	decode        {"state": bytes, "consumed": n, "requests": [request], "output": bytes, "close":
//	              text}, of which any may be absent; the first two are not looked at then
//	encode        {"state": bytes, "output": bytes, "wait": bool}, the same
//
// The calls of a case are of one connection: a decode or encode without "state" is given what the
// call before it left. A request is "ping", "disconnect" or an object with one of connect, publish,
// subscribe, unsubscribe, received; the "event" of an encode is "pong" or one of connected,
// deliver, published, subscribed, unsubscribed, disconnected. Their fields are those of
// wit/codec.wit; a message's stand beside the "id".
package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Case is what one instance is asked from its configuration on.
type Case struct {
	// Name is the file it stands in, and its number there if there are several.
	Name string `json:"-"`
	// About is the sentence that the case holds the component to.
	About string `json:"about"`
	// Config is what the link configures; absent for nothing.
	Config json.RawMessage `json:"config,omitempty"`
	// Error is what configure must fail with; then there is no more.
	Error string `json:"error,omitempty"`
	// Inbound and Outbound are what configure must answer; absent for anything.
	Inbound  []string `json:"inbound,omitzero"`
	Outbound []string `json:"outbound,omitzero"`
	Calls    []Call   `json:"calls,omitempty"`
}

// Call is one question; a function looks at the fields it has parameters for.
type Call struct {
	About string `json:"about,omitempty"`
	// Function is one of a role's: "upstream".
	Function string `json:"call"`
	// WaitMS lets so much time pass before the call, milliseconds.
	WaitMS int64 `json:"wait_ms,omitempty"`
	// Last is what was delivered before under some topics, for history.
	Last map[string]Bytes `json:"last,omitempty"`
	// Logged is what the message log has beside what it had, for look-back of history. Absent in
	// all calls of a case until now: the listener is not logged.
	Logged []Logged `json:"logged,omitzero"`

	Who         *Who         `json:"who,omitempty"`
	Action      string       `json:"action,omitempty"`
	Topic       Bytes        `json:"topic,omitempty"`
	Payload     Bytes        `json:"payload,omitempty"`
	QoS         byte         `json:"qos,omitempty"`
	Retain      bool         `json:"retain,omitempty"`
	Group       string       `json:"group,omitempty"`
	Filter      string       `json:"filter,omitempty"`
	Credentials *Credentials `json:"credentials,omitempty"`
	// State and Input are of a decode, State and Event of an encode. Without a State it is what the
	// call before left.
	State *Bytes `json:"state,omitempty"`
	Input Bytes  `json:"input,omitempty"`
	Event *Event `json:"event,omitempty"`

	// Answer is what must come back.
	Answer json.RawMessage `json:"answer,omitempty"`
	// Published are the messages that the component publishes meanwhile; absent for any.
	Published json.RawMessage `json:"published,omitempty"`
}

// Logged is a message of the message log, the oldest first.
type Logged struct {
	// Time is when it arrived, in milliseconds since 1970; absent for now.
	Time     int64  `json:"time,omitempty"`
	ClientID string `json:"client-id,omitempty"`
	Topic    Bytes  `json:"topic"`
	Payload  Bytes  `json:"payload,omitempty"`
	// Fate is one of Fates; absent for the first.
	Fate string `json:"fate,omitempty"`
}

// Fates are what may become of a message, in the order of wit/.
func Fates() []string { return []string{"delivered", "suppressed", "dropped", "denied"} }

// Who is the identity of a call.
type Who struct {
	ClientID string `json:"client-id,omitempty"`
	Username string `json:"username,omitempty"`
	Address  string `json:"address,omitempty"`
	Listener string `json:"listener,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
}

// Credentials are those of an authenticate; a nil username or password was not given.
type Credentials struct {
	ClientID string  `json:"client-id,omitempty"`
	Username *string `json:"username,omitempty"`
	Password *Bytes  `json:"password,omitempty"`
	Address  string  `json:"address,omitempty"`
	// ProtocolVersion is 5 if it is absent.
	ProtocolVersion byte   `json:"protocol-version,omitempty"`
	Subject         string `json:"certificate-subject,omitempty"`
	Method          string `json:"method,omitempty"`
	Data            Bytes  `json:"data,omitempty"`
	Step            uint32 `json:"step,omitempty"`
}

const (
	// FileBytesMax bounds one file.
	FileBytesMax = 16 << 20
	// bytesMax bounds the bytes of one value, which may be said in few words.
	bytesMax = 8 << 20
)

// ErrNone says that a folder has no case.
var ErrNone = errors.New("no *.json there")

// Load reads the cases of a file, or of all files *.json of a folder, sorted by name.
func Load(path string) ([]Case, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cases: load: %w", err)
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = Files(path); err != nil {
			return nil, err
		}
	}
	var all []Case
	for _, name := range names {
		some, err := loadFile(name)
		if err != nil {
			return nil, fmt.Errorf("cases: %s: %w", name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// Files are the paths of all *.json of a folder, sorted. Errors are ErrNone, or of the file system.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("cases: %s: %w", dir, ErrNone)
	}
	return names, nil
}

func loadFile(name string) ([]Case, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, FileBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > FileBytesMax {
		return nil, fmt.Errorf("larger than %d bytes", FileBytesMax)
	}
	return Parse(filepath.Base(name), text)
}

// Parse reads the text of a file.
func Parse(name string, text []byte) ([]Case, error) {
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '[' {
		return parseList(name, text)
	}
	c := Case{Name: name}
	if err := strictly(text, &c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return []Case{c}, nil
}

// strictly refuses fields it does not know: a misspelt one would not be looked at.
func strictly(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind the first value")
	}
	return nil
}

// Actions are the words that "action" may be for a function, in the order of wit/; nil for one that
// has none.
func Actions(function string) []string {
	switch function {
	case "authorize":
		return []string{"publish", "subscribe", "will", "deliver"}
	case "on-client":
		return []string{"connected", "disconnected"}
	}
	return nil
}

// Functions are those of all roles.
func Functions() []string {
	return []string{
		"authenticate", "authorize", "upstream", "downstream", "check", "route", "share",
		"on-message", "on-client", "on-timer", "on-stop", "decode", "encode",
	}
}

// RoleOf is the role that has the function, empty if none has.
func RoleOf(function string) string {
	switch function {
	case "authenticate":
		return "authenticator"
	case "authorize":
		return "authorizer"
	case "upstream", "downstream":
		return "transformer"
	case "check":
		return "deduplicator"
	case "route", "share":
		return "router"
	case "on-message", "on-client", "on-timer", "on-stop":
		return "worker"
	case "decode", "encode":
		return "codec"
	}
	return ""
}
