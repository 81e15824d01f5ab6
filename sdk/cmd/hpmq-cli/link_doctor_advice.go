package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/sdk/client"
)

// policies are what happens to what a component cannot answer, by role and on_fault.
var policies = map[string]map[string]string{
	"authenticator": {
		"open":   "clients come in as if it were not linked",
		"closed": "nobody it is asked about comes in (server unavailable)",
	},
	"authorizer": {
		"open":   "the next authorizer decides, or all is allowed",
		"closed": "what it is asked about is denied (implementation specific error)",
	},
	"transformer": {
		"open":   "messages go on as they came, untransformed",
		"closed": "the messages it wants are dropped",
	},
	"deduplicator": {
		"open":   "messages go on, repeated ones too",
		"closed": "the messages it wants are suppressed",
	},
	"router": {
		"open":   "messages go their usual way",
		"closed": "the messages it wants are dropped",
	},
	"codec": {
		"open":   "what it cannot translate is thrown away, connections stay",
		"closed": "connections that it cannot translate for are closed",
	},
	"worker": {
		"open":   "it is not told of some messages; no client notices",
		"closed": "it is not told of some messages; no client notices",
	},
}

// meanwhile says what the fault policy makes of it.
func (a *ailment) meanwhile() string {
	onFault := ""
	switch {
	case a.Linked != nil:
		onFault = a.Linked.OnFault
	case a.standing() == client.Gone:
		return ""
	case a.standing() == client.Shadow:
		return "it answers in a shadow: none of it has an effect"
	default:
		onFault = a.Failures[0].OnFault
	}
	text := "on_fault is " + onFault + ": " + policies[a.Role][onFault]
	if a.standing() == client.Canary {
		text += "; this is for the clients of a canary alone"
	}
	return text
}

// toDo is what a person can do, the first thing first.
func (s *settings) toDo(a *ailment, c *chart) []string {
	do := []string{}
	switch a.standing() {
	case client.Gone:
		return append(do, s.afterwards(a)...)
	case client.Serving:
		do = append(do, s.goBackDuring(a, c.failures, c.changes))
	default:
		id := "ID" // it has ended since
		if c := atWork(c.changes, a.Listener, a.Role); c != nil {
			id = c.ID
		}
		do = append(do, "end its change, the version that serves is as it was: "+
			s.command("change cancel "+id))
	}
	for i := range a.Failures {
		if text := a.remedy(&a.Failures[i]); text != "" && !slices.Contains(do, text) {
			do = append(do, text)
		}
	}
	return append(do, s.toAuthor(a)...)
}

// afterwards is what is left to do about what is linked no more, or never was: nothing is urgent.
func (s *settings) afterwards(a *ailment) []string {
	do := s.toAuthor(a)
	if q := a.Quarantined; q != nil {
		do = append(do, "link a version of it that is mended; if this one is to be linked again: "+
			s.command("change quarantine pardon "+q.Digest))
	}
	return do
}

// toAuthor is what its author is to know, if there is something.
func (s *settings) toAuthor(a *ailment) []string {
	if !slices.ContainsFunc(a.Failures, func(f client.Failure) bool { return f.Backtrace != nil }) {
		return nil
	}
	text := "send its author what it failed of: " + s.command("link doctor --listener "+
		a.Listener+" --json")
	if a.nameless() {
		text += " (its functions have no names: built with hpmq-cli component build --names, " +
			"it tells more)"
	}
	return []string{text}
}

// atWork is the change at work at a listener that has the role, or any role if that is empty.
func atWork(all []client.Change, listener, role string) *client.Change {
	for i := range all {
		if all[i].Ended {
			continue
		}
		for _, p := range all[i].Places {
			if p.Listener == listener && (p.Role == role || role == "") {
				return &all[i]
			}
		}
	}
	return nil
}

// nameless says whether no function in its backtraces has a name.
func (a *ailment) nameless() bool {
	for i := range a.Failures {
		for _, name := range a.Failures[i].Backtrace {
			if !strings.HasPrefix(name, "$") {
				return false
			}
		}
	}
	return true
}

// command is a line that asks the same broker.
func (s *settings) command(words string) string {
	line := "hpmq-cli " + words
	if s.server != client.DefaultServer {
		line += " --server " + s.server
	}
	if s.tokenFile != "" {
		line += " --token-file " + s.tokenFile
	}
	return line
}

// goBackDuring is goBack, while a change may be at work at the listener: nothing else is linked
// there then, and what the change brought goes by its own rollback.
func (s *settings) goBackDuring(
	a *ailment, all []client.Failure, changes []client.Change,
) string {
	c := atWork(changes, a.Listener, "")
	if c == nil {
		return s.goBack(a, all)
	}
	committed := c.State == "committed" || c.State == "draining"
	end := "change cancel " + c.ID
	switch {
	case committed && atWork(changes, a.Listener, a.Role) != nil:
		return fmt.Sprintf("bring the version before it back, its change %s is watched: %s", c.ID,
			s.command("change rollback "+c.ID))
	case committed:
		end = "change promote " + c.ID + " --from draining"
	}
	return fmt.Sprintf("end change %s first, nothing else is linked at %s before: %s; then %s",
		c.ID, a.Listener, s.command(end), s.goBack(a, all))
}

// goBack is how to have what worked before, unless it is known to have failed too.
func (s *settings) goBack(a *ailment, all []client.Failure) string {
	at := fmt.Sprintf("--listener %s --role %s", a.Listener, a.Role)
	another := "swap in a version that works: " +
		s.command(fmt.Sprintf("link swap %s --position %d --use FILE.wasm", at, a.Position))
	switch {
	case a.Linked != nil && a.Linked.Added:
		return "take it out again: " + s.command("link rollback "+at)
	case a.Linked == nil || a.Linked.Previous+a.Linked.PreviousName == "":
		return "there is no version before it to go back to; " + another
	}
	for i := range all {
		if f := &all[i]; f.Digest != "" && f.Digest == a.Linked.Previous &&
			f.Listener == a.Listener {
			return fmt.Sprintf("the version before it, %s, has failed too (%s); %s",
				short(f.Digest), f.Kind, another)
		}
	}
	before := strings.TrimSpace(printable(a.Linked.PreviousName) + " " + short(a.Linked.Previous))
	return fmt.Sprintf("go back to the version before it, %s: %s", before,
		s.command("link rollback "+at))
}

// remedy is what may help against a failure of that kind.
func (a *ailment) remedy(f *client.Failure) string {
	entry := fmt.Sprintf("its entry of link.%s of listener %s in the configuration", a.Role,
		a.Listener)
	const reload = ", and have it reloaded (SIGHUP)"
	switch f.Kind {
	case "fuel":
		return fmt.Sprintf("if its work is that large, write fuel: %d into %s%s; if it never "+
			"ends, no fuel is enough", 2*f.FuelMax, entry, reload)
	case "memory":
		return fmt.Sprintf("if it needs that much, write memory: %s, twice what it has, into %s%s",
			a.memory(), entry, reload)
	case "depth":
		return "if it must nest its calls so deep, raise wasm.depth_max in the configuration and " +
			"restart the broker"
	case "garbage":
		return "have it looked at, it may be made for another wit/: " +
			"hpmq-cli component check FILE.wasm"
	case "too large":
		return "messages above 1 MiB are not shown to it: have it take payloads by handle " +
			"(wit/README.md), or bound packet_bytes_max of the listener"
	case "start":
		return "it cannot start again as it did when it was linked: look for its lines in the log"
	}
	return ""
}

// memory is twice what one instance has.
func (a *ailment) memory() string {
	if a.Linked == nil || a.Linked.Guests == 0 {
		return "32MiB"
	}
	each := 2 * a.Linked.MemoryBytesMax / uint64(a.Linked.Guests)
	if each%(1<<20) == 0 {
		return fmt.Sprintf("%dMiB", each>>20)
	}
	return fmt.Sprintf("%dKiB", each>>10)
}

// bareName is a function of a contract without the contract: "upstream".
func bareName(function string) string {
	return function[strings.LastIndexByte(function, '#')+1:]
}
