package flash

import (
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// run owns the file. Each turn takes all that waits: while one group is on its way to the device
// the next one gathers.
func (s *Store) run() {
	defer close(s.done)
	for {
		items := s.next()
		if items == nil {
			return
		}
		s.commit(items)
		s.answer(items)
		if s.worthRewriting() {
			s.rewrite()
		}
		s.count()
	}
}

// next waits for items; nil is the end.
func (s *Store) next() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.items) == 0 {
		if s.closed {
			return nil
		}
		s.more.Wait()
	}
	items := s.items
	s.items, s.pending = nil, 0
	return items
}

// commit does items in their order and fills in their answers. When the device fails, all writes of
// the group fail, and reads see what was before.
func (s *Store) commit(items []item) {
	s.stage(items)
	if len(s.buf) == 0 {
		return
	}
	err := s.save()
	if err == nil {
		return
	}
	if !errors.Is(err, errRetry) {
		s.trouble(err)
	}
	if s.cfg.Sync == SyncNone {
		s.seg.doubt = true // what was answered is in memory alone
		return
	}
	s.kept.Lock()
	s.index.undo(s.undo)
	s.kept.Unlock()
	for i := range items {
		switch it := &items[i]; {
		case it.read:
			it.recs = s.find(it.recs[:0], it.filter)
		case it.err == nil:
			it.err = err
		}
	}
}

// stage does items in memory, and encodes what the file must get.
func (s *Store) stage(items []item) {
	s.buf, s.undo = s.buf[:0], s.undo[:0]
	s.kept.Lock()
	defer s.kept.Unlock()
	for i := range items {
		it := &items[i]
		if it.read {
			it.recs = s.index.match(nil, it.filter)
			continue
		}
		if it.err == nil && s.cfg.Sync == SyncCommit {
			if it.err = s.index.check(it.ops, &s.cfg); it.err == nil {
				s.undo = s.index.apply(it.ops, s.undo)
			}
		}
		if it.err == nil && s.cfg.Dir != Memory {
			s.buf = appendRecord(s.buf, it.ops)
			s.stats.Writes++
		}
	}
}

// save brings s.buf to the device, by a new file if the old one is in doubt.
func (s *Store) save() error {
	if s.seg.doubt {
		if time.Since(s.tried) < s.cfg.RetryPause {
			return fmt.Errorf("flash: the file is in doubt: %w", errRetry)
		}
		s.tried = time.Now()
		// What is staged is written with the rest.
		return s.seg.rewrite(s.entries())
	}
	if err := s.seg.append(s.buf); err != nil {
		return err
	}
	if s.cfg.Sync == SyncNone {
		return nil
	}
	return s.seg.sync()
}

// errRetry says when it will be tried again.
var errRetry = errors.New("it will be written anew after a pause")

func (s *Store) entries() []*entry {
	s.kept.RLock()
	defer s.kept.RUnlock()
	return s.index.sorted()
}

// worthRewriting says whether the garbage in the file has grown beyond its share.
func (s *Store) worthRewriting() bool {
	if s.seg.doubt {
		return false // the next write does it
	}
	s.kept.RLock()
	defer s.kept.RUnlock()
	garbage := s.seg.size - headerBytes - s.index.onFile
	return garbage > s.cfg.GarbageBytesMin &&
		garbage*100 > s.seg.size*int64(s.cfg.GarbagePercent)
}

// rewrite takes the garbage out of the file. If that fails the old file goes on, and the garbage
// grows until it is tried again.
func (s *Store) rewrite() {
	if time.Since(s.tried) < s.cfg.RetryPause {
		return
	}
	s.kept.Lock()
	s.index.sweep(s.cfg.Now())
	s.kept.Unlock()
	if err := s.seg.rewrite(s.entries()); err != nil {
		s.tried = time.Now()
		s.trouble(err)
		return
	}
	s.kept.Lock()
	s.stats.Rewrites++
	s.kept.Unlock()
}

func (s *Store) count() {
	s.kept.Lock()
	defer s.kept.Unlock()
	s.stats.Commits++
	s.stats.FileBytes = s.seg.size
}

func (s *Store) trouble(err error) {
	s.kept.Lock()
	s.stats.Failures++
	s.kept.Unlock()
	if s.cfg.Trouble != nil {
		s.cfg.Trouble(err)
	}
}

var _ broker.Store = (*Store)(nil)
