package kv

import (
	"container/heap"
	"hash/maphash"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
)

// Space is what one component holds, as it is used on one loop. Safe for concurrent use. Times are
// milliseconds on one clock.
type Space struct {
	*area
	loop int
}

// area is what one component holds.
type area struct {
	store *Store
	name  string
	usage
	shards [shards]shard
	// schema is the version of what it holds, as its component said, 0 if it never did.
	schema atomic.Uint32
	// dirty is told of each change while the keys are migrated, else nil.
	dirty atomic.Pointer[dirty]
}

// shard is the keys of one hash class under one lock.
type shard struct {
	mu    sync.Mutex
	items map[string]*item
	due   dueHeap // the items that expire, soonest first
	// open is an *open with a Keeper. A program without one does not link the type.
	open any
}

// item is one entry. value never changes in place: who got it keeps it.
type item struct {
	key     string
	value   []byte
	counter bool
	n       int64
	expire  int64 // 0 for never
	ttl     uint64
	slot    int // place in the heap, -1 outside
}

// moment is when and where a guest asks.
type moment struct {
	now  int64
	loop int
}

func (s *area) on(loop int) Space { return Space{s, loop} }

func (s *area) shard(key []byte) *shard {
	return &s.shards[maphash.Bytes(s.store.seed, key)%shards]
}

// note tells the Keeper what became of it. The shard is locked.
func (s *area) note(loop int, it *item, how uint8) {
	if d := s.dirty.Load(); d != nil {
		d.mark(it.key)
	}
	if note := s.store.note; note != nil {
		note(s, loop, it, how)
	}
}

// Get answers the value under key, which never changes; a counter's is its decimal text.
func (s Space) Get(now int64, key []byte) ([]byte, bool) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := s.live(sh, moment{now, s.loop}, key)
	if it == nil {
		return nil, false
	}
	if it.counter {
		return strconv.AppendInt(nil, it.n, 10), true
	}
	return it.value, true
}

// Set keeps a copy of value under key for ttl milliseconds, 0 for ever.
func (s Space) Set(now int64, key, value []byte, ttl uint64) error {
	sh, at := s.shard(key), moment{now, s.loop}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it, err := s.put(sh, s.live(sh, at, key), entry{at, key, value, ttl})
	if err == nil {
		s.note(s.loop, it, set)
	}
	return err
}

// SetIfAbsent is Set for a free key; false says the key was not free.
func (s Space) SetIfAbsent(now int64, key, value []byte, ttl uint64) (bool, error) {
	sh, at := s.shard(key), moment{now, s.loop}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s.live(sh, at, key) != nil {
		return false, nil
	}
	it, err := s.put(sh, nil, entry{at, key, value, ttl})
	if err == nil {
		s.note(s.loop, it, set)
	}
	return err == nil, err
}

// Delete frees key.
func (s Space) Delete(now int64, key []byte) {
	sh, at := s.shard(key), moment{now, s.loop}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if it := s.live(sh, at, key); it != nil {
		s.drop(sh, s.loop, it)
	}
}

// Increment adds by to the counter under key and answers the sum; a free key counts as 0.
func (s Space) Increment(now int64, key []byte, by int64) (int64, error) {
	sh, at := s.shard(key), moment{now, s.loop}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := s.live(sh, at, key)
	if it == nil {
		var err error
		if it, err = s.put(sh, nil, entry{moment: at, key: key}); err != nil {
			return 0, err
		}
		it.counter = true
	}
	sum := it.n + by
	if !it.counter || (sum > it.n) != (by > 0) && by != 0 {
		return 0, ErrNotACounter
	}
	it.n = sum
	s.note(s.loop, it, counted)
	return sum, nil
}

// Usage answers how many entries and bytes the component holds, expired ones among them.
func (s Space) Usage() (entries, bytes int64) { return s.count.Load(), s.bytes.Load() }

// entry is what a guest asks to be kept.
type entry struct {
	moment
	key, value []byte
	ttl        uint64
}

// put has e in place of old, which is nil for a free key. On an error nothing has changed.
func (s *area) put(sh *shard, old *item, e entry) (*item, error) {
	cfg := &s.store.cfg
	if len(e.key) > cfg.KeyBytesMax || len(e.value) > cfg.ValueBytesMax {
		return nil, ErrTooLarge
	}
	entries, bytes := int64(1), int64(len(e.key)+len(e.value)+entryBytes)
	if old != nil {
		entries, bytes = 0, int64(len(e.value)-len(old.value))
	} else if room := s.store.room; room != nil && !room() {
		return nil, ErrTooLarge
	}
	if !s.reserve(sh, e.moment, entries, bytes) {
		return nil, ErrTooLarge
	}
	if old == nil {
		old = sh.add(string(e.key))
	}
	old.value, old.counter, old.n = append([]byte(nil), e.value...), false, 0
	old.ttl = e.ttl
	sh.setExpire(old, deadline(e.now, e.ttl))
	return old, nil
}

func (sh *shard) add(key string) *item {
	it := &item{key: key, slot: -1}
	sh.items[key] = it
	return it
}

// load takes in what was kept, beyond all limits.
func (s *area) load(now int64, n *Note) {
	sh := s.shard([]byte(n.Key))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	expire := n.Expire
	if expire != 0 && n.TTL != 0 {
		expire = min(expire, deadline(now, n.TTL))
	}
	s.bring(sh, n.Key, state{
		there: true, counter: n.Counter, n: n.N, value: append([]byte(nil), n.Value...),
		expire: expire, ttl: n.TTL,
	})
}

// bring makes the item under key what v says, beyond all limits.
func (s *area) bring(sh *shard, key string, v state) {
	it := sh.items[key]
	if it == nil {
		it = sh.add(key)
		s.count.Add(1)
		s.store.total.count.Add(1)
		s.grow(len(key) + entryBytes)
	}
	s.grow(len(v.value) - len(it.value))
	it.value, it.counter, it.n, it.ttl = v.value, v.counter, v.n, v.ttl
	sh.setExpire(it, v.expire)
}

// grow counts bytes in, or out if they are below 0.
func (s *area) grow(bytes int) {
	s.bytes.Add(int64(bytes))
	s.store.total.bytes.Add(int64(bytes))
}

// reserve counts entries and bytes in if they fit, having thrown out what has expired.
func (s *area) reserve(sh *shard, at moment, entries, bytes int64) bool {
	s.expire(sh, at)
	if s.fit(entries, bytes) {
		return true
	}
	for i := range s.shards {
		// Only tried, never waited for: another writer may hold that one and want this one.
		if other := &s.shards[i]; other.mu.TryLock() {
			s.expire(other, at)
			other.mu.Unlock()
		}
	}
	return s.fit(entries, bytes)
}

// fit counts entries and bytes in if the component and all together may have them.
func (s *area) fit(entries, bytes int64) bool {
	cfg := &s.store.cfg
	if !s.usage.take(entries, bytes, cfg.EntriesMax, cfg.BytesMax) {
		return false
	}
	if s.store.total.take(entries, bytes, cfg.TotalEntriesMax, cfg.TotalBytesMax) {
		return true
	}
	s.usage.give(entries, bytes)
	return false
}

// live is the item under key that has not expired, or nil. The shard is locked.
func (s *area) live(sh *shard, at moment, key []byte) *item {
	it := sh.items[string(key)]
	if it != nil && it.expire != 0 && it.expire <= at.now {
		s.drop(sh, at.loop, it)
		it = nil
	}
	if saw := s.store.saw; saw != nil {
		saw(s, at.loop, key)
	}
	return it
}

func (s *area) expire(sh *shard, at moment) {
	for len(sh.due) > 0 && sh.due[0].expire <= at.now {
		s.drop(sh, at.loop, sh.due[0])
	}
}

func (s *area) drop(sh *shard, loop int, it *item) {
	s.note(loop, it, gone)
	s.remove(sh, it)
}

func (s *area) remove(sh *shard, it *item) {
	delete(sh.items, it.key)
	sh.setExpire(it, 0)
	bytes := int64(len(it.key) + len(it.value) + entryBytes)
	s.usage.give(1, bytes)
	s.store.total.give(1, bytes)
}

// deadline is now + ttl without overflow, 0 for never.
func deadline(now int64, ttl uint64) int64 {
	if ttl == 0 {
		return 0
	}
	if ttl > uint64(math.MaxInt64-now) {
		return math.MaxInt64
	}
	return now + int64(ttl)
}

func (sh *shard) setExpire(it *item, at int64) {
	it.expire = at
	switch {
	case at == 0 && it.slot >= 0:
		heap.Remove(&sh.due, it.slot)
	case at != 0 && it.slot < 0:
		heap.Push(&sh.due, it)
	case at != 0:
		heap.Fix(&sh.due, it.slot)
	}
}

// dueHeap orders items by expiry for container/heap.
type dueHeap []*item

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].expire < h[j].expire }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i, j
}
func (h *dueHeap) Push(x any) {
	it := x.(*item)
	it.slot = len(*h)
	*h = append(*h, it)
}
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	it.slot = -1
	*h = (*h)[:last]
	return it
}
