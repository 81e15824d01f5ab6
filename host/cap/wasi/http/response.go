package http

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/cap/wasi/streams"
	"github.com/hpmq/hpmq/host/wasm"
)

// response is an outgoing-response. Nobody is there to take it.
type response struct {
	headers   *fields
	status    uint16
	bodyTaken bool
}

// Held is state.Holder's.
func (r *response) Held() int { return r.headers.bytes }

func responseKind() state.Kind[response] {
	return state.KindOf[response](TypesInterface, "outgoing-response")
}

func responseCalls() map[string]contract.Call {
	const method = "[method]outgoing-response."
	return map[string]contract.Call{
		"[constructor]outgoing-response": newResponse,
		method + "status-code":           statusCode,
		method + "set-status-code":       setStatusCode,
		method + "headers":               responseHeaders,
		method + "body":                  responseBody,
	}
}

// constructor(headers: headers)
func newResponse(g *wasm.Guest, stack []uint64) {
	headers := fieldsKind().Take(g, stack[0]).freeze()
	stack[0] = responseKind().New(g, &response{headers: headers, status: 200})
}

// status-code: func() -> status-code
func statusCode(g *wasm.Guest, stack []uint64) {
	stack[0] = uint64(responseKind().Get(g, stack[0]).status)
}

// set-status-code: func(status-code: status-code) -> result
func setStatusCode(g *wasm.Guest, stack []uint64) {
	r, code := responseKind().Get(g, stack[0]), uint16(stack[1])
	good := code >= 100 && code <= 999
	if good {
		r.status = code
	}
	stack[0] = abi.Bool(!good)
}

// headers: func() -> headers
func responseHeaders(g *wasm.Guest, stack []uint64) {
	stack[0] = fieldsKind().New(g, responseKind().Get(g, stack[0]).headers.freeze())
}

// body: func() -> result<outgoing-body>
func responseBody(g *wasm.Guest, stack []uint64) {
	r := responseKind().Get(g, stack[0])
	giveBody(g, stack[1], &r.bodyTaken)
}

// body is an outgoing-body. What is written to it goes nowhere: what it belongs to is refused.
type body struct {
	streamTaken bool
	finished    bool
}

func bodyKind() state.Kind[body] { return state.KindOf[body](TypesInterface, "outgoing-body") }

func bodyCalls() map[string]contract.Call {
	return map[string]contract.Call{
		"[method]outgoing-body.write":  writeBody,
		"[static]outgoing-body.finish": finishBody,
	}
}

// giveBody lowers result<outgoing-body>: it is given once.
func giveBody(g *wasm.Guest, ptr uint64, taken *bool) {
	giveOnce(g, ptr, taken, func() uint64 { return bodyKind().New(g, &body{}) })
}

func giveOnce(g *wasm.Guest, ptr uint64, taken *bool, give func() uint64) {
	area := abi.Area(g, ptr, 8, 4)
	area[0] = byte(abi.Bool(*taken))
	if !*taken {
		*taken = true
		abi.PutUint32(area[4:], uint32(give()))
	}
}

// write: func() -> result<output-stream>
func writeBody(g *wasm.Guest, stack []uint64) {
	b := bodyKind().Get(g, stack[0])
	giveOnce(g, stack[1], &b.streamTaken, func() uint64 {
		return streams.OutputKind().New(g, &streams.Output{
			Write: func(*wasm.Guest, []byte) bool { return !b.finished },
		})
	})
}

// finish: static func(this: outgoing-body, trailers: option<trailers>) -> result<_, error-code>
func finishBody(g *wasm.Guest, stack []uint64) {
	bodyKind().Take(g, stack[0]).finished = true
	if abi.Case(g, stack[1], 2) == 1 {
		fieldsKind().Take(g, stack[2])
	}
	abi.Area(g, stack[3], 40, 8)[0] = 0
}
