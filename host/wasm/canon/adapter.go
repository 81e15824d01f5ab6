package canon

import (
	"errors"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Instance is a component instance at run time, for its invariants: it is not entered again before
// a call into it ends, and does not leave while values are lowered into it, nor in post-return. It
// is of one goroutine.
type Instance struct {
	Handles *Table
	inside  bool
	held    bool
}

// The invariants.
var (
	ErrEnter = errors.New("canon: cannot enter component instance")
	ErrLeave = errors.New("canon: cannot leave component instance")
)

// Enter begins a call into the instance.
func (i *Instance) Enter() error {
	if i.inside {
		return ErrEnter
	}
	i.inside = true
	return nil
}

// Exit ends the call that Enter began. It is not called after a trap: nothing enters then.
func (i *Instance) Exit() { i.inside = false }

// Leave is called first by whatever the instance calls outside: lowered functions, resource.new,
// resource.drop, resource.rep.
func (i *Instance) Leave() error {
	if i.held {
		return ErrLeave
	}
	return nil
}

// Hold runs f, during which the instance cannot leave.
func (i *Instance) Hold(f func() error) error {
	was := i.held
	i.held = true
	err := f()
	i.held = was
	return err
}

// Func is a function of a component instance: canon lift. It may be called by what is outside.
type Func struct {
	Type     *component.FuncType
	Instance *Instance
	Memory   Memory // as Side
	Encoding component.Encoding
	// Core calls the core function: parameters are read from the stack, results written to it. The
	// stack has room for the more of both.
	Core func(stack []uint64) error
	// PostReturn is called with the stack that Core left, once the result is read; nil if the
	// options name none.
	PostReturn func(stack []uint64) error
}

// Call calls the function. deliver is given the result, if the type has one, while the callee still
// keeps what it is made of. own and borrow among parameters are representations.
func (f *Func) Call(c *Call, params []Value, deliver func(Value) error) error {
	if err := f.Instance.Enter(); err != nil {
		return err
	}
	side := Side{Memory: f.Memory, Encoding: f.Encoding, Handles: f.Instance.Handles}
	stack := make([]uint64, component.FlatParamsMax)
	err := f.Instance.Hold(func() error { return side.LowerParams(c, f.Type, params, stack) })
	if err != nil {
		return err
	}
	if err := f.Core(stack); err != nil {
		return err
	}
	if f.Type.Result != nil {
		v, err := side.LiftResult(c, f.Type, stack)
		if err != nil {
			return err
		}
		if err := deliver(v); err != nil {
			return err
		}
	}
	if f.PostReturn != nil {
		if err := f.Instance.Hold(func() error { return f.PostReturn(stack) }); err != nil {
			return err
		}
	}
	if err := c.Exit(); err != nil {
		return err
	}
	f.Instance.Exit()
	return nil
}

// Invoke calls the function for the host: nobody lends, the result is kept.
func (f *Func) Invoke(l Limits, params []Value) (result Value, err error) {
	err = f.Call(NewCall(l), params, func(v Value) error {
		result = v
		return nil
	})
	return result, err
}

// Adapter is canon lower of a canon lift: it carries the calls of one component instance to a
// function of another.
type Adapter struct {
	Callee   *Func
	Instance *Instance // the caller
	Memory   Memory    // the caller's, as Side
	Encoding component.Encoding
	Limits   Limits
}

// Call is the core function that lower makes: it reads its parameters from the stack and writes its
// result there.
func (a *Adapter) Call(stack []uint64) error {
	if err := a.Instance.Leave(); err != nil {
		return err
	}
	t := a.Callee.Type
	side := Side{Memory: a.Memory, Encoding: a.Encoding, Handles: a.Instance.Handles}
	call := NewCall(a.Limits)
	params, err := side.LiftParams(call, t, stack)
	if err != nil {
		return err
	}
	err = a.Callee.Call(call, params, func(v Value) error {
		return a.Instance.Hold(func() error { return side.LowerResult(call, t, v, stack) })
	})
	if err != nil {
		return err
	}
	call.Return()
	return nil
}
