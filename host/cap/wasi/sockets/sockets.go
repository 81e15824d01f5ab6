// Package sockets serves wasi:sockets: what a guest asks of the network is refused, and so there is
// no socket whose functions could be called.
package sockets

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// Parts are the interfaces.
func Parts() []contract.Part {
	one := func(name, function string, call contract.Call) contract.Part {
		return contract.Part{
			Interface: "wasi:sockets/" + name, Calls: map[string]contract.Call{function: call},
		}
	}
	lookup := one("ip-name-lookup", "resolve-addresses", resolve)
	lookup.Unmade = []string{"resolve-address-stream"}
	return []contract.Part{
		one("instance-network", "instance-network", instanceNetwork),
		{Interface: "wasi:sockets/network", Unmade: []string{"error"}},
		lookup,
		one("tcp-create-socket", "create-tcp-socket", create),
		{Interface: "wasi:sockets/tcp", Unmade: []string{"tcp-socket"}},
		one("udp-create-socket", "create-udp-socket", create),
		{Interface: "wasi:sockets/udp", Unmade: []string{
			"udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream",
		}},
	}
}

// network is the one that a guest may name but not use.
type network struct{}

func networkKind() state.Kind[network] {
	return state.KindOf[network]("wasi:sockets/network", "network")
}

// instance-network: func() -> network
func instanceNetwork(g *wasm.Guest, stack []uint64) { stack[0] = networkKind().New(g, &network{}) }

// resolve-addresses: func(network: borrow<network>, name: string)
// -> result<resolve-address-stream, error-code>
func resolve(g *wasm.Guest, stack []uint64) {
	networkKind().Get(g, stack[0])
	abi.Text(g, stack[1], stack[2])
	refuse(g, stack[3])
}

// create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>
func create(g *wasm.Guest, stack []uint64) {
	abi.Case(g, stack[0], 2)
	refuse(g, stack[1])
}

// accessDenied is a case of error-code.
const accessDenied = 1

// refuse lowers the error of result<own<T>, error-code>.
func refuse(g *wasm.Guest, ptr uint64) {
	area := abi.Area(g, ptr, 8, 4)
	area[0], area[4] = 1, accessDenied
}
