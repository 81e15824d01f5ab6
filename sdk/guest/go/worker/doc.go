// Package worker is the role hpmq:broker/worker: what a component answers to that is told of
// messages and clients beside the way of a message. It knows the words of the role and its exports;
// what to do about it, the Handler knows.
package worker

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Presence is what became of a client.
type Presence uint32

// The values are those of the WIT enum hpmq:broker/worker.presence.
const (
	Connected Presence = iota
	Disconnected
)

// Clients is the filter of the inbound interest that asks for OnClient.
const Clients = "$SYS/clients"

// Handler answers the role. What it is given is borrowed until return. It publishes by package
// publish.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator. The
	// inbound interest is what the worker is told of.
	Configure(config string) (guest.Interest, error)
	// OnMessage is told of a message that goes on, and who published it.
	OnMessage(who *guest.Identity, m *guest.Message)
	// OnClient is told who came or went.
	OnClient(who *guest.Identity, what Presence)
	// OnTimer is called once before all else and answers after how many milliseconds again, 0 for
	// never.
	OnTimer() (ms uint32)
	// OnStop is the last call.
	OnStop()
}
