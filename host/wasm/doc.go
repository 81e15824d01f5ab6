// Package wasm runs guests: WebAssembly core modules that speak the canonical ABI of the component
// model, each in a small box. It knows how to compile, bound, call and replace them. It does not
// know sockets, MQTT, links, or what any export means; of the disk it knows one cache directory.
//
// The box of a guest has these walls:
//
//   - Fuel and depth, counted by the guest's own code (package fuel): each call has a budget, and a
//     guest over it traps. Nothing can be stopped from outside: native code cannot be preempted,
//     and the engine's own way (leaving native code at each loop) costs a microsecond per call.
//   - Memory outside the Go heap with a hard cap, tables and globals with limits.
//   - Imports from provided host modules only; an unknown import is refused at Compile.
//   - After any trap the guest is dead: its memory may be torn. Its owner replaces it (Pool).
//
// Goroutines: an Engine and a Module may be used by all; a Guest by one at a time. Compile and
// Instantiate are slow and belong off the event loop; Call, Post, Alloc and Memory never block and
// do not allocate.
package wasm
