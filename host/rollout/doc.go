// Package rollout knows which state a change of links is in, what may come next, and what of it is
// durable. It does not know how a component is linked, fetched or tested, nor any disk, socket or
// clock: those are ports.
//
// # The states
//
//	requested → fetched → verified → compiled → checked → warmed → tested → [shadow] →
//	[canary, step by step] → committed → draining → done
//
// and the ends refused, rolled back, cancelled. A state is entered by one record in the ledger, and
// the record is safe before anything happens outside that it alone allows: shadow, a wider canary,
// the commit. Ends that take something back are the other way round: first the candidate goes, then
// the record is written, so that a slow disk does not keep a bad candidate in service.
//
// # After a crash
//
// What the ledger says at the start is the truth, for the links in memory are gone. A change before
// committed ends as rolled back: the old version is linked. From committed on the new version is to
// be linked: who does that says how it ended (Settle), done, or rolled back where that is refused,
// as by a migration that fails. Linked answers what is to be linked for every listener, at every
// moment, by the same records; it never depends on how far the machine came after the last one.
//
// # Order and exclusion
//
// A listener is in at most one change, and in none but its own while somebody reserved it. What is
// asked under the id of a change that is known answers that change. Cancel and commit are decided
// under one lock: a change that was cancelled is not committed, and one that is committed cannot be
// cancelled any more, only rolled back while its old version is still warm.
//
// # Health
//
// While a candidate serves somebody it is looked at every 100 ms, at each fault and at each of its
// first answers, see Thresholds. Two spans are judged: since the step began, and the last two to
// four seconds, so that a candidate that turned bad late is found as fast as one that was bad from
// the start. While a record is written nobody looks: a device that does not answer for a second
// makes that one look late by a second.
//
// A canary by percentage begins beside the active version, unheard, with up to 256 questions of all
// clients: a bad one is found before it serves anybody (ease.go). Then come few clients, 0.01 % of
// them and twice as many each time, until one asks the candidate; there are not more before that
// has answered some questions. A step that nobody asks in is no step: the next begins there.
package rollout
