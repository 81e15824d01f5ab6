package broker

// Two clients under one client id take the session from each other for ever, each connecting again
// when it is thrown out. The standard wants it so [MQTT-3.1.4-3]; what it costs is bounded by how
// fast they connect. An operator wants to know of it.
const (
	stormWindow Time = 60_000 // ms in which take-overs are counted
	stormAt          = 10     // take-overs in it that are no accident
	stormsMax        = 1024   // client ids counted at once
)

// Storm is a client id that was taken over again and again.
type Storm struct {
	ClientID string
	// Address and Listener are those of the connection thrown out last.
	Address, Listener string
	// TakeOvers counts those of the minute that is not over yet.
	TakeOvers int
}

// storms counts take-overs by client id, a window at a time.
type storms struct {
	since  Time
	counts map[string]int
	found  []Storm
}

// note takes note that the connection of s is thrown out.
func (x *storms) note(now Time, s *session) {
	if x.counts == nil || now-x.since >= stormWindow {
		x.since, x.counts = now, make(map[string]int)
	}
	n, known := x.counts[s.id()]
	if !known && len(x.counts) >= stormsMax {
		return
	}
	x.counts[s.id()] = n + 1
	if n+1 == stormAt && len(x.found) < stormsMax {
		x.found = append(x.found, Storm{s.id(), s.who.Address, s.who.Listener, stormAt})
	}
}

// Storms calls visit for each client id that became a storm since it was called last: once a minute
// for each, while it goes on.
func (k *Kernel) Storms(visit func(Storm)) {
	for _, s := range k.storms.found {
		s.TakeOvers = max(s.TakeOvers, k.storms.counts[s.ClientID])
		visit(s)
	}
	k.storms.found = nil
}
