package kv

import (
	"container/heap"
	"hash/maphash"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
)

// Space is what one component holds. Safe for concurrent use. Times are milliseconds on one clock.
type Space struct {
	cfg    Config
	seed   maphash.Seed
	count  atomic.Int64
	bytes  atomic.Int64
	shards [shards]shard
}

// shard is the keys of one hash class under one lock.
type shard struct {
	mu    sync.Mutex
	items map[string]*item
	due   dueHeap // the items that expire, soonest first
}

// item is one entry. value never changes in place: who got it keeps it.
type item struct {
	key     string
	value   []byte
	counter bool
	n       int64
	expire  int64 // 0 for never
	slot    int   // place in the heap, -1 outside
}

func (s *Space) shard(key []byte) *shard {
	return &s.shards[maphash.Bytes(s.seed, key)%shards]
}

// Get answers the value under key, which never changes; a counter's is its decimal text.
func (s *Space) Get(now int64, key []byte) ([]byte, bool) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := s.live(sh, now, key)
	if it == nil {
		return nil, false
	}
	if it.counter {
		return strconv.AppendInt(nil, it.n, 10), true
	}
	return it.value, true
}

// Set keeps a copy of value under key for ttl milliseconds, 0 for ever.
func (s *Space) Set(now int64, key, value []byte, ttl uint64) error {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	_, err := s.put(sh, s.live(sh, now, key), entry{now, key, value, ttl})
	return err
}

// SetIfAbsent is Set for a free key; false says the key was not free.
func (s *Space) SetIfAbsent(now int64, key, value []byte, ttl uint64) (bool, error) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s.live(sh, now, key) != nil {
		return false, nil
	}
	_, err := s.put(sh, nil, entry{now, key, value, ttl})
	return err == nil, err
}

// Delete frees key.
func (s *Space) Delete(now int64, key []byte) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if it := s.live(sh, now, key); it != nil {
		s.drop(sh, it)
	}
}

// Increment adds by to the counter under key and answers the sum; a free key counts as 0.
func (s *Space) Increment(now int64, key []byte, by int64) (int64, error) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := s.live(sh, now, key)
	if it == nil {
		var err error
		if it, err = s.put(sh, nil, entry{now: now, key: key}); err != nil {
			return 0, err
		}
		it.counter = true
	}
	sum := it.n + by
	if !it.counter || (sum > it.n) != (by > 0) && by != 0 {
		return 0, ErrNotACounter
	}
	it.n = sum
	return sum, nil
}

// Usage answers how many entries and bytes the component holds, expired ones among them.
func (s *Space) Usage() (entries, bytes int64) { return s.count.Load(), s.bytes.Load() }

// entry is what a guest asks to be kept.
type entry struct {
	now        int64
	key, value []byte
	ttl        uint64
}

// put keeps e in place of old, which is nil for a free key. On an error nothing has changed.
func (s *Space) put(sh *shard, old *item, e entry) (*item, error) {
	if len(e.key) > s.cfg.KeyBytesMax || len(e.value) > s.cfg.ValueBytesMax {
		return nil, ErrTooLarge
	}
	entries, bytes := int64(1), int64(len(e.key)+len(e.value)+entryBytes)
	if old != nil {
		entries, bytes = 0, int64(len(e.value)-len(old.value))
	}
	if !s.reserve(sh, e.now, entries, bytes) {
		return nil, ErrTooLarge
	}
	if old == nil {
		old = &item{key: string(e.key), slot: -1}
		sh.items[old.key] = old
	}
	old.value, old.counter, old.n = append([]byte(nil), e.value...), false, 0
	sh.setExpire(old, deadline(e.now, e.ttl))
	return old, nil
}

// reserve counts entries and bytes in if they fit, having thrown out what has expired.
func (s *Space) reserve(sh *shard, now, entries, bytes int64) bool {
	s.expire(sh, now)
	if s.take(entries, bytes) {
		return true
	}
	for i := range s.shards {
		// Only tried, never waited for: another writer may hold that one and want this one.
		if other := &s.shards[i]; other.mu.TryLock() {
			s.expire(other, now)
			other.mu.Unlock()
		}
	}
	return s.take(entries, bytes)
}

func (s *Space) take(entries, bytes int64) bool {
	n, b := s.count.Add(entries), s.bytes.Add(bytes)
	if (entries <= 0 || n <= s.cfg.EntriesMax) && (bytes <= 0 || b <= s.cfg.BytesMax) {
		return true
	}
	s.count.Add(-entries)
	s.bytes.Add(-bytes)
	return false
}

// live is the item under key that has not expired, or nil. The shard is locked.
func (s *Space) live(sh *shard, now int64, key []byte) *item {
	it := sh.items[string(key)]
	if it == nil || it.expire == 0 || it.expire > now {
		return it
	}
	s.drop(sh, it)
	return nil
}

func (s *Space) expire(sh *shard, now int64) {
	for len(sh.due) > 0 && sh.due[0].expire <= now {
		s.drop(sh, sh.due[0])
	}
}

func (s *Space) drop(sh *shard, it *item) {
	delete(sh.items, it.key)
	sh.setExpire(it, 0)
	s.count.Add(-1)
	s.bytes.Add(-int64(len(it.key) + len(it.value) + entryBytes))
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
