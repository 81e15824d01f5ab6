package broker

// ask is what the kernel waits for under a Token.
type ask struct {
	kind   askKind
	conn   *Conn
	pub    *publication
	sub    *subscribing
	aud    *audience
	read   *reading
	page   *paging
	sess   *session // of a tally
	before int      // what waited when it was asked for
	held   []held   // steps that wait for a write
	id     string   // client id of a claim
}

type askKind uint8

const (
	askAuth  askKind = iota + 1 // Authenticator
	askWrite                    // Store.Write
	askRead                     // Store.Read
	askClaim                    // the home of a client id
	askPeer                     // a peer that was given a message
	askAdded                    // a peer that was told an interest
	askAdmit                    // Store.Write of a session that was begun or ended
	askPage                     // Store.Read of a part of a queue
	askTally                    // Store.Read of its size
)
