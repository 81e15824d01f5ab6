package gate

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// gnetLog gives what gnet says to slog. What gnet calls a warning or an error is of one connection
// and no news to anyone.
type gnetLog struct{ to *slog.Logger }

func (l gnetLog) Debugf(string, ...any) {}

func (l gnetLog) Infof(string, ...any) {}

func (l gnetLog) Warnf(f string, a ...any) { l.to.Debug("gate: gnet: " + fmt.Sprintf(f, a...)) }

func (l gnetLog) Errorf(f string, a ...any) { l.to.Debug("gate: gnet: " + fmt.Sprintf(f, a...)) }

func (l gnetLog) Fatalf(f string, a ...any) { l.to.Error("gate: gnet: " + fmt.Sprintf(f, a...)) }

// rare lets one of many through: what repeats a thousand times a second is logged once in a while.
type rare struct {
	every time.Duration
	mu    sync.Mutex
	last  time.Time
	held  int
}

// pass is true when it is time to speak again, with how often it was not since.
func (r *rare) pass(now time.Time) (held int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.last.IsZero() && now.Sub(r.last) < r.every {
		r.held++
		return 0, false
	}
	held, r.held, r.last = r.held, 0, now
	return held, true
}
