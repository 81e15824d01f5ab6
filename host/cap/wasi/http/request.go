package http

import (
	"strings"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// request is an outgoing-request.
type request struct {
	headers   *fields
	method    named
	scheme    *named
	path      *string
	authority *string
	bodyTaken bool
}

// Held is state.Holder's. The texts are bounded, and count as if they were full.
func (r *request) Held() int { return r.headers.bytes + 4*textBytesMax }

// textBytesMax bounds a method, a scheme, a path with its query, and an authority.
const textBytesMax = 2 << 10

// named is a variant whose last case has a name.
type named struct {
	which uint32
	other string
}

// The last cases of method and of scheme.
const (
	otherMethod = 9
	otherScheme = 2
)

func requestKind() state.Kind[request] {
	return state.KindOf[request](TypesInterface, "outgoing-request")
}

func requestCalls() map[string]contract.Call {
	const method = "[method]outgoing-request."
	return map[string]contract.Call{
		"[constructor]outgoing-request": newRequest,
		method + "headers":              requestHeaders,
		method + "body":                 requestBody,
		method + "method":               requestMethod,
		method + "set-method":           setMethod,
		method + "scheme":               scheme,
		method + "set-scheme":           setScheme,
		method + "path-with-query":      getText(func(r *request) **string { return &r.path }),
		method + "set-path-with-query":  setText(func(r *request) **string { return &r.path }),
		method + "authority":            getText(func(r *request) **string { return &r.authority }),
		method + "set-authority":        setText(func(r *request) **string { return &r.authority }),
	}
}

// constructor(headers: headers)
func newRequest(g *wasm.Guest, stack []uint64) {
	headers := fieldsKind().Take(g, stack[0]).freeze()
	stack[0] = requestKind().New(g, &request{headers: headers})
}

// headers: func() -> headers
func requestHeaders(g *wasm.Guest, stack []uint64) {
	stack[0] = fieldsKind().New(g, requestKind().Get(g, stack[0]).headers.freeze())
}

// body: func() -> result<outgoing-body>
func requestBody(g *wasm.Guest, stack []uint64) {
	r := requestKind().Get(g, stack[0])
	giveBody(g, stack[1], &r.bodyTaken)
}

// method: func() -> method
func requestMethod(g *wasm.Guest, stack []uint64) {
	r := requestKind().Get(g, stack[0])
	putNamed(g, stack[1], r.method, otherMethod)
}

// putNamed lowers a variant.
func putNamed(g *wasm.Guest, ptr uint64, v named, other uint32) {
	abi.Area(g, ptr, 12, 4)[0] = byte(v.which)
	if v.which == other {
		abi.PutText(g, uint64(uint32(ptr)+4), v.other)
	}
}

// getNamed lifts a variant of three core values. It answers false if the name is none.
func getNamed(g *wasm.Guest, in []uint64, other uint32) (v named, ok bool) {
	v.which = abi.Case(g, in[0], other+1)
	if v.which != other {
		return v, true
	}
	v.other = string(abi.Text(g, in[1], in[2]))
	return v, isToken(v.other) && len(v.other) <= textBytesMax
}

// set-method: func(method: method) -> result
func setMethod(g *wasm.Guest, stack []uint64) {
	r := requestKind().Get(g, stack[0])
	v, ok := getNamed(g, stack[1:], otherMethod)
	if ok {
		r.method = v
	}
	stack[0] = abi.Bool(!ok)
}

// scheme: func() -> option<scheme>
func scheme(g *wasm.Guest, stack []uint64) {
	r := requestKind().Get(g, stack[0])
	area := abi.Area(g, stack[1], 16, 4)
	area[0] = byte(abi.Bool(r.scheme != nil))
	if r.scheme != nil {
		putNamed(g, uint64(uint32(stack[1])+4), *r.scheme, otherScheme)
	}
}

// set-scheme: func(scheme: option<scheme>) -> result
func setScheme(g *wasm.Guest, stack []uint64) {
	r := requestKind().Get(g, stack[0])
	if abi.Case(g, stack[1], 2) == 0 {
		r.scheme, stack[0] = nil, 0
		return
	}
	v, ok := getNamed(g, stack[2:], otherScheme)
	if ok {
		r.scheme = &v
	}
	stack[0] = abi.Bool(!ok)
}

// getText makes func() -> option<string>.
func getText(of func(r *request) **string) contract.Call {
	return func(g *wasm.Guest, stack []uint64) {
		text := *of(requestKind().Get(g, stack[0]))
		area := abi.Area(g, stack[1], 12, 4)
		area[0] = byte(abi.Bool(text != nil))
		if text != nil {
			abi.PutText(g, uint64(uint32(stack[1])+4), *text)
		}
	}
}

// setText makes func(text: option<string>) -> result. Whether it is a good address, who sends the
// request finds out; here it must only be in one piece.
func setText(of func(r *request) **string) contract.Call {
	return func(g *wasm.Guest, stack []uint64) {
		at := of(requestKind().Get(g, stack[0]))
		if abi.Case(g, stack[1], 2) == 0 {
			*at, stack[0] = nil, 0
			return
		}
		text := string(abi.Text(g, stack[2], stack[3]))
		bad := len(text) > textBytesMax || strings.ContainsFunc(text, func(r rune) bool {
			return r <= ' ' || r == 0x7f
		})
		if !bad {
			*at = &text
		}
		stack[0] = abi.Bool(bad)
	}
}
