// Package wasm runs guests: components of the Component Model, and WebAssembly core modules that
// speak its canonical ABI, each in a small box. It knows how to compile, bound, call and replace
// them. It does not know sockets, MQTT, links, or what any export means; of the disk it knows one
// cache directory.
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
// A component is a list of core instances (package plan), and a guest of it is all of them. What
// bounds a guest bounds them together: one budget, one depth, one sum of memories and of tables.
//
//	core modules  rewritten and compiled once; each import asks the instance that has the item, by
//	              the name it has there, so that nothing must stand between two instances
//	counters      are of the first instance with code to count, which is the biggest as a rule;
//	              the others import them; a shim, which only calls on, has none
//	trampolines   host functions, made once for all guests, that know by the call who calls: for
//	              its time Alloc, Memory and handles are those of the lower
//	views         memory and realloc of a lift or lower
//	parts         component instances, with handles; nobody enters one that is inside a call
//	adapters      calls from part to part: package canon carries the values, fuel pays for them
//
// Goroutines: an Engine and a Module may be used by all; a Guest by one at a time. Compile and
// Instantiate are slow and belong off the event loop; Call, Post, Alloc and Memory never block and
// do not allocate.
package wasm
