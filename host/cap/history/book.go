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
}

// item is what is known of a topic. Its buffer is used again for the next payload.
type item struct {
	topic      string
	payload    []byte
	known      bool // a payload was recorded; false when the topic was only asked for
	prev, next *item
}

func (i *item) size() int { return len(i.topic) + cap(i.payload) + entryBytes }

func (sh *shard) record(cfg Config, topic, payload []byte, wanted bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[string(topic)]
	if it == nil {
		if !wanted {
			return
		}
		it = sh.add(topic)
	}
	sh.use(it)
	sh.bytes -= it.size()
	it.known = len(payload) <= cfg.PayloadBytesMax
	if it.known {
		it.keep(payload)
	}
	sh.bytes += it.size()
	sh.evict(cfg)
}

// keep copies payload, into the old buffer if that is large enough and not far too large.
func (i *item) keep(payload []byte) {
	if cap(i.payload) < len(payload) || cap(i.payload) > 4*len(payload)+64 {
		i.payload = make([]byte, 0, len(payload))
	}
	i.payload = append(i.payload[:0], payload...)
}

func (sh *shard) appendLast(cfg Config, dst, topic []byte) ([]byte, bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[string(topic)]
	if it == nil {
		sh.use(sh.add(topic))
		sh.evict(cfg)
		return dst, false
	}
	sh.use(it)
	if !it.known {
		return dst, false
	}
	return append(dst, it.payload...), true
}

func (sh *shard) add(topic []byte) *item {
	if sh.items == nil {
		sh.items = map[string]*item{}
		sh.ring.prev, sh.ring.next = &sh.ring, &sh.ring
	}
	it := &item{topic: string(topic)}
	sh.items[it.topic] = it
	sh.bytes += it.size()
	return it
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
func (sh *shard) evict(cfg Config) {
	for len(sh.items) > cfg.EntriesMax/shards || sh.bytes > cfg.BytesMax/shards {
		old := sh.ring.prev
		if old == &sh.ring {
			return
		}
		old.unlink()
		delete(sh.items, old.topic)
		sh.bytes -= old.size()
	}
}
