package configs

import (
	"encoding/json"
	"fmt"
	"maps"
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
	if d := c.SysInterval.Std(); d != 0 && d < time.Second {
		ps.add("sys_interval", "must be 0s (none) or at least 1s")
	}
	ps.note("input_bytes_max", within(c.InputBytesMax, 64*KiB, 1<<40))
	ps.note("sessions_max", within(c.SessionsMax, 1, 1_000_000_000))
	ps.note("queued_messages_max", within(c.QueuedMessagesMax, 0, math.MaxInt32))
	ps.note("queued_bytes_max", within(c.QueuedBytesMax, 0, 1<<44))
	ps.note("retained_messages_max", within(c.RetainedMessagesMax, 0, 1_000_000_000))
	ps.note("retained_bytes_max", within(c.RetainedBytesMax, 0, 1<<40))
	c.Store.validate(&ps)
	c.Remember.validate(&ps)
	c.Trust.validate(&ps)
	c.Bundles.validate(&ps)
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
		if c.Listeners[i].Log != nil && c.DataDir == Memory {
			ps.add(at+".log", "needs a folder; leave it out, or write data_dir: ./hpmq-data")
		}
		if name := c.Listeners[i].Name; names[name] != "" {
			ps.add(at+".name", "%q is the name of %s too; give each one of its own", name,
				names[name])
		} else if name != "" {
			names[name] = at
		}
	}
	return ps.err()
}

func (s *Store) validate(ps *Problems) {
	ps.note("store.memory", within(s.Memory, 16*MiB, 1<<44))
	ps.note("store.pending_bytes_max", within(s.PendingBytesMax, 64*KiB, 1<<40))
	ps.note("store.free_bytes_min", within(s.FreeBytesMin, 0, 1<<44))
	ps.note("store.backups_max", within(s.BackupsMax, 1, 10_000))
	if d := s.Interval.Std(); d < time.Millisecond || d > time.Minute {
		ps.add("store.interval", "must be 1ms to 1m")
	}
}

func (r *Remember) validate(ps *Problems) {
	for _, n := range []struct {
		key   string
		value int
		least int
	}{
		{"kv_entries_max", r.KVEntriesMax, 1},
		{"kv_total_entries_max", r.KVTotalEntriesMax, 1},
		{"history_topics_max", r.HistoryTopicsMax, 16},
	} {
		if n.value < n.least || n.value > 1<<30 {
			ps.add("remember."+n.key, "must be %d to %d", n.least, 1<<30)
		}
	}
	ps.note("remember.kv_bytes_max", within(r.KVBytesMax, 1*KiB, 1<<40))
	ps.note("remember.kv_total_bytes_max", within(r.KVTotalBytesMax, 1*KiB, 1<<40))
	ps.note("remember.history_bytes_max", within(r.HistoryBytesMax, 64*KiB, 1<<30))
	ps.note("remember.history_total_bytes_max", within(r.HistoryTotalBytesMax, 64*KiB, 1<<40))
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
	b.Scheme = TCP
	return []bound{{b, "admin.bind"}}
}

func (l *Log) validate(ps *Problems) {
	oneOf(ps, "log.level", l.Level, []string{"debug", "info", "warn", "error"})
	oneOf(ps, "log.format", l.Format, []string{"text", "json"})
}

func (w *Wasm) validate(ps *Problems) {
	ps.note("wasm.module_max", within(w.ModuleMax, 1*KiB, 1*GiB))
	ps.note("wasm.cache_max", within(w.CacheMax, 64*KiB, 1<<40))
	ps.note("wasm.guests_max", within(w.GuestsMax, 1, 1_000_000))
	ps.note("wasm.memory_max", withinMemory(w.MemoryMax))
	ps.note("wasm.fuel_max", within(w.FuelMax, 1000, 1<<62))
	ps.note("wasm.start_fuel_max", within(w.StartFuelMax, 1000, 1<<62))
	ps.note("wasm.auth_memory_max", withinMemory(w.AuthMemoryMax))
	ps.note("wasm.auth_fuel_max", within(w.AuthFuelMax, 1000, 1<<62))
	ps.note("wasm.listener_guests_max", within(w.ListenerGuestsMax, 0, 1_000_000))
	if w.ListenerMemoryMax != 0 {
		ps.note("wasm.listener_memory_max", within(w.ListenerMemoryMax, 64*KiB, 1<<40))
	}
	oneOf(ps, "wasm.failures", w.Failures, []string{FailuresFull, FailuresRedacted})
	ps.note("wasm.depth_max", within(w.DepthMax, 16, 1900)) // the interpreter ends at 2,000 frames
}

// withinMemory says what is wrong with v as the memory of a component.
func withinMemory(v Size) string {
	if v%(64*KiB) != 0 {
		return fmt.Sprintf("%v is no multiple of 64KiB, the page of wasm memory", v)
	}
	return within(v, 64*KiB, 2*GiB)
}

func (l *Limits) validate(ps *Problems, at string) {
	ps.note(at+".connections_max", within(l.ConnectionsMax, 1, 100_000_000))
	ps.note(at+".connect_timeout", within(l.ConnectTimeout, Duration(time.Millisecond),
		Duration(time.Hour)))
	ps.note(at+".packet_bytes_max", within(l.PacketBytesMax, 64, 268_435_460)) // [MQTT-2.1.4]
	ps.note(at+".packet_timeout", within(l.PacketTimeout, 0, Duration(24*time.Hour)))
	ps.note(at+".qos_max", within(l.QoSMax, 0, 2))
	ps.note(at+".receive_max", within(l.ReceiveMax, 1, 65535))
	ps.note(at+".inflight_max", within(l.InflightMax, 1, 32768))
	ps.note(at+".topic_levels_max", within(l.TopicLevelsMax, 1, 65535))
	ps.note(at+".client_id_bytes_max", within(l.ClientIDBytesMax, 23, 65535))
	ps.note(at+".subscriptions_max", within(l.SubscriptionsMax, 0, math.MaxInt32))
	oneOf(ps, at+".durability", l.Durability, Durabilities())
	ps.note(at+".queue_messages_max", within(l.QueueMessagesMax, 0, math.MaxInt32))
	ps.note(at+".queue_bytes_max", within(l.QueueBytesMax, 0, 1<<40))
	oneOf(ps, at+".queue_policy", l.QueuePolicy, QueuePolicies())
	ps.note(at+".outbound_bytes_max", within(l.OutboundBytesMax, 4*KiB, 1*GiB))
	ps.note(at+".keep_alive_max", within(l.KeepAliveMax, 0, Duration(65535*time.Second)))
	const most = 1_000_000_000 // one a nanosecond
	ps.note(at+".connects_per_second", within(l.ConnectsPerSecond, 0, most))
	ps.note(at+".messages_in_per_second", within(l.MessagesInPerSecond, 0, most))
	ps.note(at+".bytes_in_per_second", within(l.BytesInPerSecond, 0, most))
	ps.note(at+".messages_out_per_second", within(l.MessagesOutPerSecond, 0, most))
	ps.note(at+".bytes_out_per_second", within(l.BytesOutPerSecond, 0, most))
	ps.note(at+".listener_messages_in_per_second", within(l.ListenerMessagesInPerSecond, 0, most))
	ps.note(at+".listener_bytes_in_per_second", within(l.ListenerBytesInPerSecond, 0, most))
	if l.SessionExpiryMax != Never {
		ps.note(at+".session_expiry_max", within(l.SessionExpiryMax, 0, Duration(36500*day)))
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

func validateChain(ps *Problems, at, role string, chain []Component) {
	most := ChainMax
	if role == Codec {
		most = 1
	}
	if len(chain) > most {
		ps.add(at, "%d components are too many; at most %d", len(chain), most)
	}
	for i := range chain {
		chain[i].validate(ps, fmt.Sprintf("%s[%d]", at, i), role)
	}
}

func (c *Component) validate(ps *Problems, at, role string) {
	known := append(DefaultComponents(), FurtherComponents()...)
	switch {
	case c.Use == "":
		ps.add(at+".use", "is missing; name a default component, a .wasm file or a bundle")
	case c.InRegistry():
		ps.note(at+".use", c.unpinned())
	case c.IsPath():
	case !slices.Contains(known, c.Use):
		ps.add(at+".use", "%q is no default component%s and no file that ends in .wasm or "+
			".tar", c.Use, suggest(c.Use, known))
	case !strings.HasPrefix(c.Use, role+"-"):
		ps.add(at+".use", "%s cannot serve as %s", c.Use, role)
	}
	for i, g := range c.Grants {
		oneOf(ps, fmt.Sprintf("%s.grants[%d]", at, i), g, Capabilities())
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			ps.add(at+".env", "%q is no name of a variable", clip(name))
		}
	}
	if c.OnFault != "" {
		oneOf(ps, at+".on_fault", c.OnFault, []string{"open", "closed"})
	}
	if c.Fuel != 0 {
		ps.note(at+".fuel", within(c.Fuel, 1000, 1<<62))
	}
	if c.Memory != 0 {
		ps.note(at+".memory", withinMemory(c.Memory))
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

// within says what is wrong with v if it is not low ≤ v ≤ high.
func within[T int | uint8 | uint16 | uint32 | uint64 | Size | Duration](v, low, high T) string {
	if v < low || v > high {
		return fmt.Sprintf("%v is out of range; %v to %v", v, low, high)
	}
	return ""
}
