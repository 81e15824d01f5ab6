package link

import (
	"sync"
	"time"
)

// patientLock is a sync.RWMutex whose Lock can be given up. Who waits for it keeps nobody out any
// longer then: a call that takes its time delays those behind it for as long as somebody has
// patience, not until it ends.
type patientLock struct {
	mu   sync.Mutex
	in   int           // who reads
	held bool          // somebody writes, or waits until nobody reads
	idle chan struct{} // closed when nobody reads any more; nil if nobody waits for that
	next chan struct{} // closed when held ends; nil if nobody waits for that
}

// RLock waits until nobody writes.
func (l *patientLock) RLock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held {
		l.waitLocked(nil)
	}
	l.in++
}

// TryRLock is RLock for who does not wait.
func (l *patientLock) TryRLock() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		l.in++
	}
	return !l.held
}

// RUnlock ends RLock.
func (l *patientLock) RUnlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.in--; l.in == 0 && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// Lock waits until nobody reads or writes.
func (l *patientLock) Lock() { l.LockBefore(nil) }

// LockBefore is Lock for who waits until late, which sends or is closed then; false says that it
// did.
func (l *patientLock) LockBefore(late <-chan time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held {
		if !l.waitLocked(late) {
			return false
		}
	}
	l.held = true
	if l.in == 0 {
		return true
	}
	idle := make(chan struct{})
	l.idle = idle
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-idle:
		return true
	case <-late:
	}
	l.Unlock()
	return false
}

// Unlock ends Lock.
func (l *patientLock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.idle = false, nil
	if l.next != nil {
		close(l.next)
		l.next = nil
	}
}

// waitLocked waits until held ends or it is late. Needs mu.
func (l *patientLock) waitLocked(late <-chan time.Time) bool {
	if l.next == nil {
		l.next = make(chan struct{})
	}
	next := l.next
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-next:
		return true
	case <-late:
		return false
	}
}
