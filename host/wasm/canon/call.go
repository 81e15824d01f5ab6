package canon

import (
	"errors"
	"fmt"
)

// Limits bound what one call may carry, both ways together.
type Limits struct {
	// ValuesMax is how many values there may be, elements of packed lists not counted. One takes
	// 48 bytes of the host.
	ValuesMax int
	// BytesMax is how many bytes strings and lists may have in memory.
	BytesMax int
	// Spend is told of both before work is done for them, in parts, so that the call can be made to
	// pay. It may end the call by a panic, for nothing here must be undone. nil tells nobody.
	Spend func(values, bytes uint64)
}

// DefaultLimits are more than any contract of ours carries.
func DefaultLimits() Limits { return Limits{ValuesMax: 1 << 20, BytesMax: 64 << 20} }

// Call is one call of a component function from its first lift to its end. It is of one goroutine
// and used once.
type Call struct {
	limits        Limits
	values, bytes int
	lent          []loan
	borrowed      int
}

// NewCall begins a call.
func NewCall(l Limits) *Call {
	l.BytesMax = min(l.BytesMax, memoryMax)
	return &Call{limits: l}
}

// memoryMax keeps sizes below what a 32-bit memory has.
const memoryMax = 1<<31 - 1

// Borrowed is how many borrows that were lowered for the callee are not dropped.
func (c *Call) Borrowed() int { return c.borrowed }

// Exit ends the call of the callee: it fails while a borrow that was lowered for it is not dropped.
func (c *Call) Exit() error {
	if c.borrowed != 0 {
		return fmt.Errorf("canon: %d borrow handles remain at the end of a call", c.borrowed)
	}
	return nil
}

// Return ends the call for the caller: what it lent is its own again.
func (c *Call) Return() {
	for _, l := range c.lent {
		l.table.slots[l.index].lent--
	}
	c.lent = nil
}

var errTooMuch = errors.New("canon: a call carries more than BytesMax bytes or ValuesMax values")

// spend is called before memory is taken for n values and bytes that the guest asks for.
func (c *Call) spend(values, bytes uint64) error {
	if values > uint64(c.limits.ValuesMax-c.values) || bytes > uint64(c.limits.BytesMax-c.bytes) {
		return errTooMuch
	}
	c.values += int(values)
	c.bytes += int(bytes)
	if c.limits.Spend != nil {
		c.limits.Spend(values, bytes)
	}
	return nil
}
