package link

// Types of version 0.1 as package host/wasm/component writes them. A test holds them equal to wit/.
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

	typeLent = "(who: " + typeIdentity + ", topic: string, payload: borrow<body>, qos: " +
		typeQoS + ", retain: bool)"
	typeTransformLent = typeLent + " -> variant{keep, drop, replace(list<" + typeMessage +
		">), send-as(list<record{topic: string, qos: " + typeQoS + ", retain: bool}>)}"
	typeCheckLent = typeLent + " -> enum{news, repeated, unchanged}"

	typeExportState = "() -> result<list<u8>, string>"
	typeImportState = "(schema: u32, state: list<u8>) -> result<_, string>"
	typeMigrate     = "(from-schema: u32, to-schema: u32, key: string) -> result<_, string>"

	typeShare = "(group: string, filter: string) -> enum{round-robin, random, sticky, topic-hash}"
)

// contract01 is version 0.1. The host's own questions have its shape, for it is the newest.
func contract01() contract { return shape01("0.1.0") }

// shape01 is 0.1 by another version: a later one begins with it and replaces the faces it changes.
// Then it is the ways of 0.1 that must know what that lacks.
func shape01(version string) contract {
	of := func(name string, ask ways, exports ...export) face {
		return newFace(name, version, ask, exports)
	}
	return contract{
		version:      version,
		capabilities: []string{"log", "config", "kv", "history", "publish"},
		given:        []string{"payload"},
		lifecycle: of("lifecycle", ways{configure: (*instance).configure},
			export{"configure", 0, typeConfigure}),
		state: of("state", ways{},
			export{"export-state", 0, typeExportState}, // fnExport, fnImport
			export{"import-state", 3, typeImportState}),
		migration: of("migration", ways{}, export{"migrate", 4, typeMigrate}),
		roles: [roleCount]face{
			// An authenticator gets the address of a record.
			RoleAuthenticator: of("authenticator", ways{authenticate: (*instance).authenticate},
				export{"authenticate", 1, typeAuthenticate}),
			RoleAuthorizer: of("authorizer", ways{authorize: (*instance).authorize},
				export{"authorize", 14, typeAuthorize}),
			RoleTransformer: of("transformer", ways{transform: (*policy).ask},
				export{"upstream", 16, typeTransform}, // indexed by broker.Direction
				export{"downstream", 16, typeTransform}),
			RoleDeduplicator: of("deduplicator", ways{check: (*instance).check},
				export{"check", 16, typeCheck}),
			RoleRouter: of("router",
				ways{route: (*policy).routedBy, share: (*instance).share},
				export{"route", 14, typeRoute},
				export{"share", 4, typeShare}),
			RoleWorker: of("worker", ways{tell: (*instance).tell},
				export{"on-message", 16, typeOnMessage}, // indexed by what a task is
				export{"on-client", 11, typeOnClient},
				export{"on-timer", 0, "() -> u32"},
				export{"on-stop", 0, "()"}),
			RoleCodec: of("codec", ways{}, // see Codec.Decode
				export{"decode", 4, typeDecode}, // codecDecode, codecEncode
				export{"encode", 10, typeEncode}),
		},
		lent: [roleCount]face{
			RoleTransformer: of("transformer-by-handle", ways{transform: (*policy).askLent},
				export{"upstream", 15, typeTransformLent}, // indexed by broker.Direction
				export{"downstream", 15, typeTransformLent}),
			RoleDeduplicator: of("deduplicator-by-handle", ways{check: (*instance).checkLent},
				export{"check", 15, typeCheckLent}),
			RoleWorker: of("worker-by-handle", ways{tell: (*instance).tellLent},
				export{"on-message", 15, typeLent}),
		},
	}
}
