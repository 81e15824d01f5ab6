package history

import "sync"

// book is the topics of one listener.
type book [shards]shard

// shard is the topics of one hash class: a map and a ring in the order of use, under one lock.
type shard struct {
	mu    sync.Mutex
	items map[string]*item
	ring  item // the sentinel: next is the newest, prev the one to go first
	bytes int
	over  bool // the listener was forgotten
}

// item is what is known of a topic. Its buffer is used again for the next payload.
type item struct {
	topic   string
	payload []byte
	known   bool // a payload was recorded; false when the topic was only asked for
	noted   bool // the Keeper has something of it
	// open is an *open with a Keeper. A program without one does not link the type.
	open       any
	prev, next *item
}

// news is a payload that was delivered.
type news struct {
	at             Place
	topic, payload []byte
	wanted         bool
}

func (i *item) size() int { return len(i.topic) + cap(i.payload) + entryBytes }

func (sh *shard) record(s *Store, n news) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[string(n.topic)]
	if it == nil {
		if !n.wanted || sh.over || s.bytes.Load() > s.cfg.TotalBytesMax {
			return
		}
		it = sh.add(s, n.topic)
	}
	sh.use(it)
	before := it.size()
	if s.before != nil {
		s.before(it)
	}
	it.known = len(n.payload) <= s.cfg.PayloadBytesMax
	if it.known {
		it.keep(n.payload)
	}
	sh.grow(s, it.size()-before)
	if s.note != nil {
		s.note(n.at, it, false)
	}
	sh.evict(s, n.at)
}

// keep copies payload, into the old buffer if that is large enough and not far too large.
func (i *item) keep(payload []byte) {
	if cap(i.payload) < len(payload) || cap(i.payload) > 4*len(payload)+64 {
		i.payload = make([]byte, 0, len(payload))
	}
	i.payload = append(i.payload[:0], payload...)
}

// load takes in what was kept.
func (sh *shard) load(s *Store, n *Note) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[n.Topic]
	if it == nil {
		it = sh.add(s, []byte(n.Topic))
	}
	sh.use(it)
	before := it.size()
	it.known, it.noted = true, s.note != nil
	it.keep(n.Payload)
	sh.grow(s, it.size()-before)
	sh.evict(s, Place{n.Listener, -1})
}

func (sh *shard) appendLast(s *Store, dst []byte, at Place, topic []byte) ([]byte, bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[string(topic)]
	if it == nil {
		if !sh.over && s.bytes.Load() <= s.cfg.TotalBytesMax {
			sh.use(sh.add(s, topic))
			sh.evict(s, at)
		}
		return dst, false
	}
	sh.use(it)
	if !it.known {
		return dst, false
	}
	return append(dst, it.payload...), true
}

func (sh *shard) add(s *Store, topic []byte) *item {
	if sh.items == nil {
		sh.items = map[string]*item{}
		sh.ring.prev, sh.ring.next = &sh.ring, &sh.ring
	}
	it := &item{topic: string(topic)}
	sh.items[it.topic] = it
	sh.grow(s, it.size())
	return it
}

func (sh *shard) grow(s *Store, bytes int) {
	sh.bytes += bytes
	s.bytes.Add(int64(bytes))
}

// use makes it the newest.
func (sh *shard) use(it *item) {
	it.unlink()
	it.prev, it.next = &sh.ring, sh.ring.next
	it.prev.next, it.next.prev = it, it
}

func (i *item) unlink() {
	if i.next != nil {
		i.prev.next, i.next.prev = i.next, i.prev
	}
}

// evict lets the oldest go until the shard keeps to its part of the limits.
func (sh *shard) evict(s *Store, at Place) {
	for len(sh.items) > s.cfg.EntriesMax/shards || sh.bytes > s.cfg.BytesMax/shards {
		old := sh.ring.prev
		if old == &sh.ring {
			return
		}
		old.unlink()
		delete(sh.items, old.topic)
		sh.grow(s, -old.size())
		if s.note != nil {
			s.note(at, old, true)
		}
	}
}

// close lets all go, for ever.
func (sh *shard) close(s *Store, listener string) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, it := range sh.items {
		if s.note != nil {
			s.note(Place{listener, -1}, it, true)
		}
	}
	sh.grow(s, -sh.bytes)
	sh.items, sh.ring, sh.over = nil, item{}, true
}
