// Package link knows which component version serves which role of which listener, asks them, and
// changes them while messages flow. It does not know sockets, disks, packets, or what a component
// is for; how to run one is host/wasm's.
//
// # The table
//
// What is linked to a listener is a table: an immutable value, for each role a chain of entries in
// the order they are asked. An entry is one component with its configuration, grants, limits and
// fault policy, and a seat with a warm guest for each loop (for authenticators, for each worker).
// The objects that the kernels hold, Policy and Authenticator, stay for the life of the listener;
// each of their calls loads the pointer to the table once. So commit is one store of one pointer,
// and since a session is served by one loop at a time, no session sees the new version and then the
// old.
//
// # A swap
//
//	read → compile → manifest → exports → imports → instantiate → configure → migrate → state →
//	commit → drain
//
// Everything up to commit works on the new entry beside the running ones; a refusal is a *StepError
// and leaves nothing behind. After the commit the entries that the new table and its rollback no
// longer need are closed, once every loop has passed a point where it was in no call.
//
// # A plan
//
// A plan is a swap of several places, of several roles and listeners: all of them are made beside
// what is linked, and one commit puts them in place, a pointer for each listener, or none. While it
// is at work nothing else changes its listeners. After the commit what was there stays warm: a
// revert puts the very same entries back, until the plan is released or something else is changed.
// A Swap is the plan of one place, committed and released at once.
//
// # A shadow
//
// Before it answers anybody, a plan can be asked beside those it is to replace: the loops leave
// copies of questions and answers in a bounded queue, one goroutine puts them to guests that have
// no effect, and compares. A copy that finds no room is left out; no loop waits.
//
// # A canary
//
// Before its commit a plan can answer for some: for a share of the clients, chosen by their names,
// for clients, tenants or topics. Then the table has a trial, which says for each question which of
// two tables answers it: without a plan that is one compare. Who is chosen stays so until the plan
// ends, a wider choice can only add to it. What the entries on both sides do is counted where they
// sit, by the kind of fault; how long it takes is measured only meanwhile, and of many some.
//
// # State
//
// A component that exports state gives what its guests have in memory to the version that comes in
// its place, loop by loop, when that is put there. The loops stand still then: a guest is its
// loop's, and who halts the loops is all of them. The tables are stored before they go on, so
// nothing is asked between the export and the commit. A guest is marked before it is asked; if
// anything fails, all are brought back to their marks and no table is stored. The way back to an
// old version asks too, but does not depend on the answer.
//
// What a component keeps in kv is of a schema, and all that is linked of it is made for that one:
// whoever changes a table has claimed its components by name while that is looked at. An entry of
// another schema comes with a migration: its keys are brought beside what is there, on a guest of
// its own, while the old version goes on and others commit; the rest while the loops stand still
// and those beside the loops are kept out of their guests. The write of the store is the last that
// can fail, and comes before the table.
//
// # Versions
//
// A contract is one version of wit/: its exports, and for each a way of asking it. A host serves
// several; what a component speaks is found once, at the step exports, and stands in its entry, so
// that asking costs an indirect call. The questions of this package have the shape of the newest
// version; only the ways of an older one know what that lacks.
//
// # Faults
//
// A guest that traps, runs out of fuel or answers garbage is replaced by a spare of its pool, and
// the pool makes another off the loop, limited in rate; its breaker gives a component that keeps
// failing a rest. For the question that failed, and as long as a seat has no guest, the fault
// policy of the entry answers: closed refuses, open goes on as if the entry were not linked.
package link
