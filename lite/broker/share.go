package broker

// group is one shared subscription: a name and a filter, its members here, and how many it has at
// peers [MQTT-4.8.2]. The kernel a message is published at draws one member of all.
type group struct {
	name     string
	aud      *audience
	members  []*subscription
	far      []farMembers // by peer, ascending
	strategy Strategy
	turn     uint64
}

// farMembers is what a peer told of its members: only if none anywhere is connected do those away
// count.
type farMembers struct {
	peer   PeerID
	online int
	all    int
}

func (g *group) full() string { return "$share/" + g.name + "/" + g.aud.filter }

// group answers the group of that name in a, made if it is not there; nil if a has too many. The
// strategy is asked of the Policy of the first member's listener.
func (k *Kernel) group(a *audience, name string, s *session) *group {
	for _, g := range a.groups {
		if g.name == name {
			if len(g.members) == 0 {
				g.strategy = strategyOf(s, name, a.filter)
			}
			return g
		}
	}
	if len(a.groups) >= k.cfg.SharesMax {
		return nil
	}
	g := &group{name: name, aud: a, strategy: strategyOf(s, name, a.filter)}
	a.groups = append(a.groups, g)
	return g
}

func strategyOf(s *session, name, filter string) Strategy {
	if s == nil || s.lis == nil || s.lis.Policy == nil {
		return RoundRobin
	}
	return s.lis.Policy.Share(name, filter)
}

func (g *group) remove(sub *subscription) {
	for i, m := range g.members {
		if m == sub {
			g.members = append(g.members[:i], g.members[i+1:]...)
			return
		}
	}
}

// prune drops g from a if nobody is left in it.
func (a *audience) prune(g *group) {
	if len(g.members) > 0 || len(g.far) > 0 {
		return
	}
	for i, x := range a.groups {
		if x == g {
			a.groups = append(a.groups[:i], a.groups[i+1:]...)
			return
		}
	}
}

func (g *group) online() int {
	n := 0
	for _, sub := range g.members {
		if sub.sess.conn != nil {
			n++
		}
	}
	return n
}

// setFar takes note of what a peer told.
func (g *group) setFar(f farMembers) {
	at := 0
	for at < len(g.far) && g.far[at].peer < f.peer {
		at++
	}
	known := at < len(g.far) && g.far[at].peer == f.peer
	switch {
	case known && f.all == 0:
		g.far = append(g.far[:at], g.far[at+1:]...)
	case known:
		g.far[at] = f
	case f.all > 0:
		g.far = append(g.far, farMembers{})
		copy(g.far[at+1:], g.far[at:])
		g.far[at] = f
	}
}

// draw picks the member that gets m: a target here, or a pick at a peer (4.8.2).
func (k *Kernel) draw(g *group, m *Message) {
	online, all := g.online(), len(g.members)
	total, totalAll := online, all
	for _, f := range g.far {
		total += f.online
		totalAll += f.all
	}
	anyOnline := total > 0
	if !anyOnline {
		total, online = totalAll, all
	}
	if total == 0 {
		return
	}
	n := int(k.turnOf(g, m) % uint64(total))
	if n < online {
		k.match.addShared(g.nth(n, anyOnline), m)
		return
	}
	n -= online
	for _, f := range g.far {
		have := f.all
		if anyOnline {
			have = f.online
		}
		if n < have {
			k.match.picks = append(k.match.picks, pick{peer: f.peer, full: g.full()})
			return
		}
		n -= have
	}
}

// nth is the n-th member, of the connected ones if connected is set.
func (g *group) nth(n int, connected bool) *subscription {
	for _, sub := range g.members {
		if connected && sub.sess.conn == nil {
			continue
		}
		if n == 0 {
			return sub
		}
		n--
	}
	return g.members[0]
}

func (k *Kernel) turnOf(g *group, m *Message) uint64 {
	switch g.strategy {
	case Random:
		return k.rng.next()
	case Sticky:
		return hash(m.From)
	case TopicHash:
		return hash(string(m.Topic))
	default:
		g.turn++
		return g.turn - 1
	}
}

// drawHere picks among the members here, for a message that a peer sent for the group. false:
// nobody is left.
func (k *Kernel) drawHere(g *group, m *Message) bool {
	online := g.online()
	n := online
	if n == 0 {
		n = len(g.members)
	}
	if n == 0 {
		return false
	}
	i := int(k.turnOf(g, m) % uint64(n))
	k.match.addShared(g.nth(i, online > 0), m)
	return true
}

// countShares tells peers that s came or went, as far as it is a member of groups.
func (k *Kernel) countShares(s *session) {
	if k.cfg.Peers == 1 {
		return
	}
	for _, f := range s.filters() {
		if g := s.subs.get(f).group; g != nil {
			k.tellGroup(g, nil)
		}
	}
}

// groupOf answers the group of a full filter, nil if nobody is in it.
func (k *Kernel) groupOf(full string) *group {
	name, filter, ok := splitFull(full)
	if !ok {
		return nil
	}
	a, ok := k.subs.Get(filter)
	if !ok {
		return nil
	}
	for _, g := range a.groups {
		if g.name == name {
			return g
		}
	}
	return nil
}
