package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/lite/flash"
	"github.com/hpmq/hpmq/lite/port"
)

// settings are the whole configuration: the file, with the command line over it.
type settings struct {
	// Data is the folder, or "memory".
	Data string `json:"data"`
	// Sync is "commit" or "none", see flash.Sync.
	Sync     string     `json:"sync"`
	LogLevel slog.Level `json:"log_level"`
	// Interpreter runs components without compiling them.
	Interpreter bool       `json:"interpreter"`
	Retained    retained   `json:"retained"`
	Listeners   []listener `json:"listeners"`
}

// retained bounds what is kept, in memory and on the device.
type retained struct {
	MessagesMax int   `json:"messages_max"`
	BytesMax    int64 `json:"bytes_max"`
}

// listener is one listener.
type listener struct {
	Name   string    `json:"name"`
	Bind   string    `json:"bind"`
	Limits limits    `json:"limits"`
	Link   link.Spec `json:"link"`
}

// limits are those a device may want to change.
type limits struct {
	ConnectionsMax          int    `json:"connections_max"`
	PacketBytesMax          uint32 `json:"packet_bytes_max"`
	OutBytesMax             int    `json:"out_bytes_max"`
	QueueMessagesMax        int    `json:"queue_messages_max"`
	QueueBytesMax           int    `json:"queue_bytes_max"`
	SubscriptionsMax        int    `json:"subscriptions_max"`
	SessionExpirySecondsMax uint32 `json:"session_expiry_seconds_max"`
}

const (
	defaultData = "./hpmq-lite-data"
	defaultBind = "tcp://127.0.0.1:1883"
	defaultName = "mqtt"
)

// defaults are for a device with 64 MB: what all limits together allow is more than it has, what
// its clients use together is not.
func defaults() *settings {
	f := flash.Default()
	return &settings{
		Data: defaultData, Sync: "commit", LogLevel: slog.LevelWarn,
		Retained: retained{MessagesMax: f.EntriesMax, BytesMax: f.BytesMax},
	}
}

func defaultLimits() limits {
	return limits{
		ConnectionsMax:          port.DefaultLimits().ConnectionsMax,
		PacketBytesMax:          128 << 10, // above telemetry and its batches
		OutBytesMax:             port.DefaultLimits().OutBytesMax,
		QueueMessagesMax:        1000,
		QueueBytesMax:           256 << 10, // for each client that is away
		SubscriptionsMax:        1000,
		SessionExpirySecondsMax: 24 * 3600,
	}
}

// UnmarshalJSON is strict, and fills what the text does not say with defaults.
func (l *listener) UnmarshalJSON(text []byte) error {
	type plain listener
	p := plain{Limits: defaultLimits()}
	if err := strict(text, &p); err != nil {
		return err
	}
	*l = listener(p)
	return nil
}

// strict decodes text, all of it, without keys that v does not have.
func strict(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the end")
	}
	return nil
}

// fileBytesMax bounds a configuration file.
const fileBytesMax = 1 << 20

// read decodes a file into v.
func read(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	switch {
	case err != nil:
	case len(text) > fileBytesMax:
		err = fmt.Errorf("more than %d bytes", fileBytesMax)
	default:
		err = strict(text, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, place(err, text))
	}
	return nil
}

// place adds the line to an error of JSON, as far as it is known.
func place(err error, text []byte) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at := min(int(syntax.Offset), len(text))
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
	}
	return err
}

// load reads what the command line names and checks it.
func load(o *options) (*settings, error) {
	c := defaults()
	if o.config != "" {
		if err := read(o.config, c); err != nil {
			return nil, err
		}
		for i := range c.Listeners {
			relative(c.Listeners[i].Link, filepath.Dir(o.config))
		}
	}
	if err := c.override(o); err != nil {
		return nil, err
	}
	spec, err := loadLink(o.link)
	if err != nil {
		return nil, err
	}
	for i := range c.Listeners {
		if c.Listeners[i].Link == nil {
			c.Listeners[i].Link = spec
		}
		c.Listeners[i].Link = filled(c.Listeners[i].Link)
	}
	return c, c.validate()
}

// override puts the command line over the file.
func (c *settings) override(o *options) error {
	if o.data != "" {
		c.Data = o.data
	}
	if o.sync != "" {
		c.Sync = o.sync
	}
	c.Interpreter = c.Interpreter || o.interpreter
	if len(o.listen) > 0 || c.Listeners == nil {
		c.Listeners = nil
		for i, bind := range append(o.listen, defaultBind)[:max(1, len(o.listen))] {
			name := defaultName
			if i > 0 {
				name = fmt.Sprintf("%s-%d", defaultName, i+1)
			}
			c.Listeners = append(c.Listeners,
				listener{Name: name, Bind: bind, Limits: defaultLimits()})
		}
	}
	if o.logLevel != "" {
		if err := c.LogLevel.UnmarshalText([]byte(o.logLevel)); err != nil {
			return fmt.Errorf("--log-level: %w", err)
		}
	}
	return nil
}

// loadLink reads --link.
func loadLink(path string) (link.Spec, error) {
	spec := link.Spec{}
	switch path {
	case "":
	case "none":
		for _, name := range components.Names() {
			role, err := roleOf(name)
			if err != nil {
				return nil, err
			}
			spec[role] = []link.Ref{}
		}
	default:
		if err := read(path, &spec); err != nil {
			return nil, err
		}
		if len(spec[link.RoleCodec]) > 0 {
			return nil, fmt.Errorf("%s: codec: listeners of hpmq-lite speak MQTT only; link it "+
				"to a listener of hpmq", path)
		}
		relative(spec, filepath.Dir(path))
	}
	return spec, nil
}

// filled is spec with the default component in each role it does not name.
func filled(spec link.Spec) link.Spec {
	out := link.Spec{}
	for _, name := range components.Names() {
		if role, err := roleOf(name); err == nil {
			out[role] = []link.Ref{{Use: name}}
		}
	}
	for role, refs := range spec {
		out[role] = refs
	}
	return out
}

// roleOf is the role of a default component: its name begins with it.
func roleOf(name string) (link.Role, error) {
	role, _, _ := strings.Cut(name, "-")
	return link.ParseRole(role)
}

// isFile is true when use means a file and not a default component.
func isFile(use string) bool {
	return strings.HasSuffix(use, ".wasm") || strings.ContainsAny(use, `/\`)
}

// relative makes paths of components relative to the folder of the file that names them.
func relative(spec link.Spec, dir string) {
	for _, refs := range spec {
		for i := range refs {
			if isFile(refs[i].Use) && !filepath.IsAbs(refs[i].Use) {
				refs[i].Use = filepath.Join(dir, refs[i].Use)
			}
		}
	}
}

// validate says what is wrong with c. It opens nothing.
func (c *settings) validate() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data: name a folder, or memory"))
	}
	if _, err := c.policy(); err != nil {
		errs = append(errs, err)
	}
	if c.Retained.MessagesMax < 0 || c.Retained.BytesMax < 0 {
		errs = append(errs, errors.New("retained: not below 0"))
	}
	if len(c.Listeners) == 0 {
		errs = append(errs, errors.New("listeners: at least one"))
	}
	names := map[string]bool{}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.Name == "" || strings.ContainsAny(l.Name, ":/+# ") || names[l.Name] {
			errs = append(errs, fmt.Errorf("listeners[%d]: name %q is empty, taken, or has one of "+
				`":/+# " in it`, i, l.Name))
		}
		names[l.Name] = true
		if err := l.validate(); err != nil {
			errs = append(errs, fmt.Errorf("listener %s: %w", l.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (l *listener) validate() error {
	_, _, err := port.ParseBind(l.Bind)
	outer, inner := l.Limits.sockets(), l.Limits.kernel()
	return errors.Join(err, outer.Validate(), inner.Validate())
}

// policy is Sync as flash has it.
func (c *settings) policy() (flash.Sync, error) {
	switch c.Sync {
	case "commit":
		return flash.SyncCommit, nil
	case "none":
		return flash.SyncNone, nil
	}
	return 0, fmt.Errorf("sync: %q: want commit or none", c.Sync)
}

// sockets are the limits that the sockets look at.
func (l *limits) sockets() port.Limits {
	p := port.DefaultLimits()
	p.ConnectionsMax = l.ConnectionsMax
	p.OutBytesMax = l.OutBytesMax
	p.OutCutBytesMax = l.OutBytesMax + 4*int(l.PacketBytesMax) // acknowledgements, and a packet
	return p
}

// kernel are the limits that the rules of MQTT look at.
func (l *limits) kernel() broker.Limits {
	k := broker.DefaultLimits()
	k.PacketBytesMax = l.PacketBytesMax
	k.ReceiveMax, k.InflightMax = 64, 64           // a window is memory for each client
	k.TopicAliasMax, k.TopicAliasOutMax = 16, 16   // so is an alias
	k.TopicLevelsMax, k.ClientIDBytesMax = 32, 256 // and a name
	k.QueueMessagesMax, k.QueueBytesMax = l.QueueMessagesMax, l.QueueBytesMax
	k.SubscriptionsMax = l.SubscriptionsMax
	k.SessionExpiryMax = l.SessionExpirySecondsMax
	return k
}
