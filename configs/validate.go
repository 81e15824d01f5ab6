package configs

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// LoopsMax is how many event loops a broker can have.
const LoopsMax = 64

// ListenersMax bounds the listeners of one broker.
const ListenersMax = 256

// ChainMax bounds the components of one role of one listener.
const ChainMax = 16

// nameForm is what names of listeners look like: they stand in URLs, logs and topics.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate answers every fault of c as Problems, or nil. It looks at nothing but c.
func (c *Config) Validate() error {
	var ps Problems
	if c.DataDir == "" {
		ps.add("data_dir", "is empty; name a folder or write memory")
	}
	if c.Loops < 0 || c.Loops > LoopsMax {
		ps.add("loops", "must be 0 (one per CPU core) to %d", LoopsMax)
	}
	c.Log.validate(&ps)
	c.Wasm.validate(&ps)
	c.Limits.validate(&ps, "limits")
	binds := c.Admin.validate(&ps)
	if len(c.Listeners) > ListenersMax {
		ps.add("listeners", "%d are too many; at most %d", len(c.Listeners), ListenersMax)
	}
	names := make(map[string]string)
	for i := range c.Listeners {
		at := fmt.Sprintf("listeners[%d]", i)
		c.Listeners[i].Limits.validateOwn(&ps, at+".limits", &c.Limits)
		binds = c.Listeners[i].validate(&ps, at, binds)
		if name := c.Listeners[i].Name; names[name] != "" {
			ps.add(at+".name", "%q is the name of %s too", name, names[name])
		} else if name != "" {
			names[name] = at
		}
	}
	return ps.err()
}

// bound is a bind and who has it.
type bound struct {
	Bind
	path string
}

func (a *Admin) validate(ps *Problems) []bound {
	if a.Bind == Off {
		return nil
	}
	b, err := parseHostPort(a.Bind)
	if err != nil {
		ps.add("admin.bind", "%q: %v, or off", a.Bind, err)
		return nil
	}
	return []bound{{b, "admin.bind"}}
}

func (l *Log) validate(ps *Problems) {
	oneOf(ps, "log.level", l.Level, []string{"debug", "info", "warn", "error"})
	oneOf(ps, "log.format", l.Format, []string{"text", "json"})
}

func (w *Wasm) validate(ps *Problems) {
	within(ps, "wasm.memory_max", w.MemoryMax, 64*KiB, 4*GiB)
	within(ps, "wasm.module_max", w.ModuleMax, 1*KiB, 1*GiB)
	within(ps, "wasm.fuel_max", w.FuelMax, 1000, math.MaxInt64)
	within(ps, "wasm.depth_max", w.DepthMax, 16, 1_000_000)
}

func (l *Limits) validate(ps *Problems, at string) {
	within(ps, at+".connections_max", l.ConnectionsMax, 1, 100_000_000)
	within(ps, at+".connect_timeout", l.ConnectTimeout, Duration(time.Millisecond),
		Duration(time.Hour))
	within(ps, at+".packet_bytes_max", l.PacketBytesMax, 64, 268_435_460) // [MQTT-2.1.4]
	within(ps, at+".qos_max", l.QoSMax, 0, 2)
	within(ps, at+".receive_max", l.ReceiveMax, 1, 65535)
	within(ps, at+".inflight_max", l.InflightMax, 1, 32768)
	within(ps, at+".topic_levels_max", l.TopicLevelsMax, 1, 65535)
	within(ps, at+".client_id_bytes_max", l.ClientIDBytesMax, 23, 65535)
	within(ps, at+".subscriptions_max", l.SubscriptionsMax, 0, math.MaxInt32)
	within(ps, at+".queue_messages_max", l.QueueMessagesMax, 0, math.MaxInt32)
	within(ps, at+".queue_bytes_max", l.QueueBytesMax, 0, 1<<40)
	within(ps, at+".outbound_bytes_max", l.OutboundBytesMax, 4*KiB, 1*GiB)
	within(ps, at+".keep_alive_max", l.KeepAliveMax, 0, Duration(65535*time.Second))
	if l.SessionExpiryMax != Never {
		within(ps, at+".session_expiry_max", l.SessionExpiryMax, 0, Duration(36500*day))
	}
}

// validateOwn leaves out what is wrong in base too, where l has it from.
func (l *Limits) validateOwn(ps *Problems, at string, base *Limits) {
	var own, inherited Problems
	l.validate(&own, at)
	base.validate(&inherited, at) // the text of a problem has the value in it
	for _, p := range own {
		if !slices.Contains(inherited, p) {
			*ps = append(*ps, p)
		}
	}
}

func (l *Listener) validate(ps *Problems, at string, binds []bound) []bound {
	switch {
	case l.Name == "":
		ps.add(at+".name", "is missing")
	case !nameForm.MatchString(l.Name):
		ps.add(at+".name", "%q: only letters, digits, dot, dash and underscore, at most 64",
			clip(l.Name))
	}
	for _, role := range Roles() {
		validateChain(ps, at+".link."+role, role, *l.Link.Role(role))
	}
	if l.Bind == "" {
		ps.add(at+".bind", "is missing; write tcp://127.0.0.1:1883")
		return binds
	}
	b, err := ParseBind(l.Bind)
	if err != nil {
		ps.add(at+".bind", "%v", err)
		return binds
	}
	for _, other := range binds {
		if b.overlaps(other.Bind) {
			ps.add(at+".bind", "%s is taken by %s", l.Bind, other.path)
			break
		}
	}
	return append(binds, bound{b, at + ".bind"})
}

func validateChain(ps *Problems, at, role string, chain []Component) {
	if len(chain) > ChainMax {
		ps.add(at, "%d components are too many; at most %d", len(chain), ChainMax)
	}
	for i := range chain {
		chain[i].validate(ps, fmt.Sprintf("%s[%d]", at, i), role)
	}
}

func (c *Component) validate(ps *Problems, at, role string) {
	switch {
	case c.Use == "":
		ps.add(at+".use", "is missing; name a default component or a .wasm file")
	case c.IsPath():
	case !slices.Contains(DefaultComponents(), c.Use):
		ps.add(at+".use", "%q is no default component%s and no file that ends in .wasm", c.Use,
			suggest(c.Use, DefaultComponents()))
	case !strings.HasPrefix(c.Use, role+"-"):
		ps.add(at+".use", "%s cannot serve as %s", c.Use, role)
	}
	for i, g := range c.Grants {
		oneOf(ps, fmt.Sprintf("%s.grants[%d]", at, i), g, Capabilities())
	}
	if c.OnFault != "" {
		oneOf(ps, at+".on_fault", c.OnFault, []string{"open", "closed"})
	}
	if c.Fuel != 0 {
		within(ps, at+".fuel", c.Fuel, 1000, math.MaxInt64)
	}
	if c.Memory != 0 {
		within(ps, at+".memory", c.Memory, 64*KiB, 4*GiB)
	}
	if _, err := json.Marshal(c.Config); err != nil {
		ps.add(at+".config", "cannot be written as JSON: %v", err)
	}
}

func oneOf(ps *Problems, path, got string, words []string) {
	if !slices.Contains(words, got) {
		ps.add(path, "%q is not known%s: one of %s", clip(got), suggest(got, words),
			strings.Join(words, ", "))
	}
}

func suggest(got string, words []string) string {
	if near := nearest(got, words); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// within checks low ≤ v ≤ high.
func within[T int | uint8 | uint16 | uint32 | uint64 | Size | Duration](
	ps *Problems, path string, v, low, high T,
) {
	if v < low || v > high {
		ps.add(path, "%v is out of range; %v to %v", v, low, high)
	}
}
