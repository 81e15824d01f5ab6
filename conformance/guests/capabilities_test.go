package guests

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/wasm"
)

// capabilities are the host's side of what the default components import, kept by guesttest.Host.
func capabilities() []wasm.HostModule {
	const i32, i64 = wasm.I32, wasm.I64
	list := func(types ...wasm.ValueType) []wasm.ValueType { return types }
	return []wasm.HostModule{
		payload.Module(),
		{Name: "hpmq:broker/config@0.1.0", Funcs: []wasm.HostFunc{
			{Name: "json", Params: list(i32), Call: configJSON},
		}},
		{Name: "hpmq:broker/history@0.1.0", Funcs: []wasm.HostFunc{
			{Name: "last", Params: list(i32, i32, i32), Call: historyLast},
		}},
		{Name: "hpmq:broker/kv@0.1.0", Funcs: []wasm.HostFunc{
			{Name: "get", Params: list(i32, i32, i32), Call: kvGet},
			{Name: "set", Params: list(i32, i32, i32, i32, i64, i32), Call: kvSet},
			{Name: "set-if-absent", Params: list(i32, i32, i32, i32, i64, i32),
				Call: kvSetIfAbsent},
		}},
	}
}

func configJSON(g *wasm.Guest, stack []uint64) {
	abi.PutList(g, stack[0], []byte(g.Env().(*env).config))
}

func historyLast(g *wasm.Guest, stack []uint64) {
	p, ok := g.Env().(*env).host.Last(string(abi.Text(g, stack[0], stack[1])))
	abi.PutOption(g, stack[2], p, ok)
}

func kvGet(g *wasm.Guest, stack []uint64) {
	v, ok := g.Env().(*env).host.Get(string(abi.Text(g, stack[0], stack[1])))
	abi.PutOption(g, stack[2], v, ok)
}

func kvSet(g *wasm.Guest, stack []uint64) {
	key, value := abi.Text(g, stack[0], stack[1]), abi.Bytes(g, stack[2], stack[3])
	err := g.Env().(*env).host.Set(string(key), value, stack[4])
	putResult(g, stack[5], 0, err)
}

func kvSetIfAbsent(g *wasm.Guest, stack []uint64) {
	key, value := abi.Text(g, stack[0], stack[1]), abi.Bytes(g, stack[2], stack[3])
	fresh, err := g.Env().(*env).host.SetIfAbsent(string(key), value, stack[4])
	var answer byte
	if fresh {
		answer = 1
	}
	putResult(g, stack[5], answer, err)
}

// putResult leaves a result whose error is too-large and whose value fits a byte.
func putResult(g *wasm.Guest, at uint64, value byte, err error) {
	area := abi.Area(g, at, 2, 1)
	area[0], area[1] = 0, value
	if err != nil {
		area[0], area[1] = 1, 0
	}
}
