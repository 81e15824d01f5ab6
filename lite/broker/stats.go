package broker

// Stats counts what one kernel holds and did. Totals only grow.
type Stats struct {
	Connections      int
	ConnectionsTotal uint64
	Sessions         int
	// SessionsRefused counts clients that were not let in for SessionsMax.
	SessionsRefused uint64
	// SessionsConnected are those of Sessions with a connection.
	SessionsConnected int
	Subscriptions     int
	// Queued messages wait for a session, QueuedBytes is what they measure.
	Queued      int
	QueuedBytes int

	PacketsReceived  uint64
	MessagesReceived uint64
	MessagesSent     uint64
	// DroppedSlow counts QoS 0 messages for a slow connection and those that waited for a rate when
	// their connection ended, DroppedQueue those that came above a session's queue limits,
	// DroppedTotal above those of all sessions, DroppedOldest those that made room for newer ones,
	// Rejected those above either whose publisher is told, DroppedSize those above a client's
	// Maximum Packet Size, DroppedExpired those whose expiry interval passed, DroppedPolicy what a
	// Policy dropped, Suppressed what it called not fresh.
	DroppedSlow    uint64
	DroppedQueue   uint64
	DroppedTotal   uint64
	DroppedOldest  uint64
	Rejected       uint64
	DroppedSize    uint64
	DroppedExpired uint64
	DroppedPolicy  uint64
	Suppressed     uint64
	Denied         uint64
	TakenOver      uint64
	HandedOver     uint64
	BadFrames      uint64
	ReadErrors     uint64
}

// Stats answers the counts of now.
func (k *Kernel) Stats() Stats {
	st := k.stats
	st.Sessions = len(k.sessions)
	return st
}

// ClientView is what an operator sees of a session.
type ClientView struct {
	ClientID      string
	Username      string
	Address       string
	Listener      string
	Version       byte
	Connected     bool
	Subscriptions int
	Queued        int
	Inflight      int
}

// Clients calls visit for each session of this kernel, in no order, until it answers false.
func (k *Kernel) Clients(visit func(ClientView) bool) {
	for _, s := range k.sessions {
		v := ClientView{
			ClientID: s.id(), Username: s.who.Username, Address: s.who.Address,
			Listener: s.who.Listener, Version: byte(s.who.Version), Connected: s.conn != nil,
			Subscriptions: s.subs.len(), Queued: s.waiting(), Inflight: s.work.inflight(),
		}
		if !visit(v) {
			return
		}
	}
}
