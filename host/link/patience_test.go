package link

import (
	"sync"
	"testing"
	"time"
)

// TestWhoGivesUpKeepsNobodyOut: who waits for a reader that does not end is let go by late, and
// those who came behind it get in.
func TestWhoGivesUpKeepsNobodyOut(t *testing.T) {
	var l patientLock
	late, gaveUp := make(chan time.Time), make(chan bool)
	l.RLock()
	go func() { gaveUp <- l.LockBefore(late) }()
	for l.TryRLock() { // until the other waits
		l.RUnlock()
	}
	behind := make(chan struct{})
	go func() { l.RLock(); close(behind) }()
	second := make(chan bool)
	go func() { second <- l.LockBefore(late) }()
	late <- time.Time{}
	late <- time.Time{}
	if <-gaveUp || <-second {
		t.Error("it has the lock beside a reader")
	}
	<-behind
	l.RUnlock()
	l.RUnlock()
	if !l.LockBefore(nil) || l.TryRLock() {
		t.Error("the lock is not what it was")
	}
	l.Unlock()
}

// TestReadersAndWritersTakeTurns, each writer alone.
func TestReadersAndWritersTakeTurns(t *testing.T) {
	var l patientLock
	var all sync.WaitGroup
	at := map[string]int{} // the race detector looks too
	for range 8 {
		all.Go(func() {
			for range 1000 {
				l.Lock()
				at["writes"]++
				l.Unlock()
				l.RLock()
				_ = at["writes"]
				l.RUnlock()
			}
		})
	}
	all.Wait()
	if at["writes"] != 8000 {
		t.Errorf("%d of 8000 writes", at["writes"])
	}
}
