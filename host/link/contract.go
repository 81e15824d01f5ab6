package link

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/wasm"
)

// contractVersion is the version of the contracts in wit/ that this host speaks.
const contractVersion = "@0.1.0"

// Types of the contracts as package host/wasm/component writes them. A test holds them equal to
// wit/.
const (
	typeQoS      = "enum{at-most-once, at-least-once, exactly-once}"
	typeIdentity = "record{client-id: string, username: string, address: string, " +
		"listener: string, tenant: string}"
	typeMessage = "record{topic: string, payload: list<u8>, qos: " + typeQoS + ", retain: bool}"

	typeConfigure = "() -> result<record{inbound: list<string>, outbound: list<string>}, string>"

	typeCredentials = "record{client-id: string, username: option<string>, " +
		"password: option<list<u8>>, address: string, listener: string, protocol-version: u8, " +
		"certificate-subject: string, method: string, data: list<u8>, step: u32}"
	typeVerdict = "variant{allow(record{username: string, tenant: string, expires-in: u32, " +
		"data: list<u8>}), deny(record{reason-code: u8, text: string}), challenge(list<u8>), next}"
	typeAuthenticate = "(who: " + typeCredentials + ") -> " + typeVerdict

	typeAuthorize = "(who: " + typeIdentity +
		", action: enum{publish, subscribe, will, deliver}, topic: string, qos: " + typeQoS +
		") -> u32"

	typeTransform = "(who: " + typeIdentity + ", msg: " + typeMessage +
		") -> variant{keep, drop, replace(list<" + typeMessage + ">)}"

	typeCheck = "(who: " + typeIdentity + ", msg: " + typeMessage +
		") -> enum{news, repeated, unchanged}"

	typeRoute = "(who: " + typeIdentity + ", topic: string, qos: " + typeQoS + ", retain: bool) " +
		"-> variant{deliver, drop, send(record{copies: list<string>, redirect: string, " +
		"reach: enum{local, region, global}})}"
	typeOnMessage  = "(who: " + typeIdentity + ", msg: " + typeMessage + ")"
	typeOnClient   = "(who: " + typeIdentity + ", what: enum{connected, disconnected})"
	typeConnection = "record{client-id: string, username: option<string>, " +
		"password: option<list<u8>>, clean-start: bool, session-expiry: u32, keep-alive: u16, " +
		"will: option<" + typeMessage + ">}"
	typeRequest = "variant{connect(" + typeConnection + "), " +
		"publish(record{msg: " + typeMessage + ", id: u32}), " +
		"subscribe(record{filter: string, qos: " + typeQoS + ", id: u32}), " +
		"unsubscribe(record{filter: string, id: u32}), received(u32), ping, disconnect}"
	typeDecode = "(state: list<u8>, input: list<u8>) -> record{state: option<list<u8>>, " +
		"consumed: u32, requests: list<" + typeRequest + ">, output: list<u8>, " +
		"close: option<string>}"
	typeOutcome = "record{id: u32, reason-code: u8}"
	typeEvent   = "variant{connected(record{reason-code: u8, session-present: bool, " +
		"client-id: string, keep-alive: u16}), deliver(record{msg: " + typeMessage +
		", id: u32}), published(" + typeOutcome + "), subscribed(" + typeOutcome +
		"), unsubscribed(" + typeOutcome + "), pong, disconnected(u8)}"
	typeEncode = "(state: list<u8>, what: " + typeEvent + ") -> record{" +
		"state: option<list<u8>>, output: list<u8>, wait: bool}"

	typeShare = "(group: string, filter: string) -> enum{round-robin, random, sticky, topic-hash}"
)

// export is a function that a guest must have. Its flat parameters and its result, if its type has
// one, are all i32.
type export struct {
	name   string
	params int
	typ    string
}

// configureExport is what a guest of any role has beside the functions of the role.
var configureExport = export{roleExport("lifecycle", "configure"), 0, typeConfigure}

// roleExports are the functions of a role's interface, in the order of instance.fns.
var roleExports = [roleCount][]export{
	// An authenticator gets the address of a record.
	RoleAuthenticator: {{roleExport("authenticator", "authenticate"), 1, typeAuthenticate}},
	RoleAuthorizer:    {{roleExport("authorizer", "authorize"), 14, typeAuthorize}},
	RoleTransformer: { // indexed by broker.Direction
		{roleExport("transformer", "upstream"), 16, typeTransform},
		{roleExport("transformer", "downstream"), 16, typeTransform},
	},
	RoleDeduplicator: {{roleExport("deduplicator", "check"), 16, typeCheck}},
	RoleRouter: {
		{roleExport("router", "route"), 14, typeRoute},
		{roleExport("router", "share"), 4, typeShare},
	},
	RoleWorker: { // indexed by what a task is
		{roleExport("worker", "on-message"), 16, typeOnMessage},
		{roleExport("worker", "on-client"), 11, typeOnClient},
		{roleExport("worker", "on-timer"), 0, "() -> u32"},
		{roleExport("worker", "on-stop"), 0, "()"},
	},
	RoleCodec: { // decode, encode
		{roleExport("codec", "decode"), 4, typeDecode},
		{roleExport("codec", "encode"), 10, typeEncode},
	},
}

func roleExport(role, function string) string {
	return interfaceOf(role) + "#" + function
}

// results is how many flat results there are.
func (x export) results() int {
	if strings.Contains(x.typ, ") -> ") {
		return 1
	}
	return 0
}

// as says what is wrong with the export of mod, "" if nothing is. A component's is compared by its
// type, a core module's flat.
func (x export) as(mod *wasm.Module) string {
	params, results, ok := mod.Signature(x.name)
	if !ok {
		return "no " + x.name
	}
	if mod.Form() == wasm.ComponentForm {
		if t := mod.Type(x.name); t != x.typ {
			return x.name + " as " + t + ", not " + x.typ
		}
		return ""
	}
	good := len(params) == x.params && len(results) == x.results()
	for _, t := range append(params[:len(params):len(params)], results...) {
		good = good && t == wasm.I32
	}
	if !good {
		return fmt.Sprintf("%s as %v -> %v, not %d of i32 -> %d",
			x.name, params, results, x.params, x.results())
	}
	return ""
}

// capabilityOf is how a link grants an interface that is imported: "kv", whatever the patch
// version; false if it is none of the capabilities.
func capabilityOf(name string) (string, bool) {
	for _, c := range capabilities() {
		if wasm.Track(name) == wasm.Track(interfaceOf(c)) {
			return c, true
		}
	}
	return "", false
}

// interfaceOf is the full name of an interface of wit/.
func interfaceOf(short string) string { return "hpmq:broker/" + short + contractVersion }
