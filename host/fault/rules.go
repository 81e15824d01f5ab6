//go:build faults

package fault

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rule is one of BROKER_FAULTS.
type rule struct {
	point  string
	prefix bool
	from   int
	span   time.Duration
	action string
	wait   time.Duration

	passed int
	until  time.Time
}

// rules are safe for concurrent use.
type rules struct {
	mu   sync.Mutex
	list []*rule
}

// parse reads BROKER_FAULTS. What is wrong in it is a bug of the test that set it.
func parse(text string) *rules {
	all := &rules{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		r, err := parseRule(part)
		if err != nil {
			panic(fmt.Errorf("fault: rule %q: %w", part, err))
		}
		all.list = append(all.list, r)
	}
	return all
}

func parseRule(text string) (*rule, error) {
	f := strings.Split(text, ":")
	if len(f) != 3 {
		return nil, fmt.Errorf("%d fields, not 3", len(f))
	}
	r := &rule{}
	r.point, r.prefix = strings.CutSuffix(f[0], "*")
	from, span, lasting := strings.Cut(f[1], "+")
	var err error
	if r.from, err = strconv.Atoi(from); err == nil && lasting {
		r.span, err = time.ParseDuration(span)
	}
	if err != nil {
		return nil, err
	}
	action, wait, timed := strings.Cut(f[2], "=")
	switch r.action = action; action {
	case "kill", "power", "torn", "error", "full", "short", "wrong":
	case "slow":
		if !timed {
			return nil, fmt.Errorf("how slow?")
		}
		r.wait, err = time.ParseDuration(wait)
	default:
		return nil, fmt.Errorf("no action %s", action)
	}
	return r, err
}

// pass counts that a point is passed and answers the rule that acts now, and the number of the
// pass.
func (all *rules) pass(point string, now time.Time) (*rule, int) {
	all.mu.Lock()
	defer all.mu.Unlock()
	var acts *rule
	for _, r := range all.list {
		if r.point != point && !(r.prefix && strings.HasPrefix(point, r.point)) {
			continue
		}
		if r.passed++; r.passed == r.from {
			r.until = now.Add(r.span)
			acts = r
		} else if r.passed > r.from && now.Before(r.until) {
			acts = r
		}
	}
	if acts == nil {
		return nil, 0
	}
	return acts, acts.passed
}
