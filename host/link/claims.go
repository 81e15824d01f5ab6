package link

import (
	"slices"
	"sync"
)

// claims are the components whose keys in kv changes at work depend on, by name. Who changes a
// table claims all that stand in it before and after, while it is looked at that what is linked of
// one is made for the same schema and its keys are brought to that: nobody else can link one of
// that name meanwhile, and who links others does not wait.
type claims struct {
	mu    sync.Mutex
	names []string
	freed chan struct{} // closed when some are given back; nil if nobody waits
}

// take waits until it has all of names, which it has together or not at all; the answer gives them
// back.
func (c *claims) take(names []string) (give func()) {
	taken := func(name string) bool { return slices.Contains(c.names, name) }
	c.mu.Lock()
	for slices.ContainsFunc(names, taken) {
		if c.freed == nil {
			c.freed = make(chan struct{})
		}
		freed := c.freed
		c.mu.Unlock()
		<-freed
		c.mu.Lock()
	}
	c.names = append(c.names, names...)
	c.mu.Unlock()
	return func() { c.give(names) }
}

func (c *claims) give(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = slices.DeleteFunc(c.names, func(name string) bool {
		return slices.Contains(names, name)
	})
	if c.freed != nil {
		close(c.freed)
		c.freed = nil
	}
}

// concerned are the names of the components of shifts that use kv.
func concerned(shifts []turnover) (names []string) {
	for _, e := range append(users(shifts, true), users(shifts, false)...) {
		names = append(names, e.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
