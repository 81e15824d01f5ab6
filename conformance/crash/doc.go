// Package crash knows what must survive when the broker is killed: it runs the real one under load
// over one folder, ends it again and again, and compares what was acknowledged with what came.
//
// A round is one life of the broker. The seed draws how it ends:
//
//	kill   kill -9 at some moment, of the binary that users have
//	point  at a point of the way of a write, of a new segment or a flush (package fault)
//	start  at points of a start, one to three times in a row
//	power  at a point, and what was not synced is gone
//	error  the journal's device fails for a while; half of these end by power
//	short  writes of the journal break off, cutting them back may fail too
//	full   no file has space for a while
//	slow   syncs take longer
//	db     files of the database fail
//	stop   SIGTERM, some killed while they close
//
// Publishers send at QoS 1 and 2, retained and not; sessions are online, away, come and go, have a
// narrow window, change their subscriptions; a transformer is swapped all the time. One publisher
// is of a listener whose durability is interval: only a power cut takes back what it was
// acknowledged, and only what came after the last thing that is safe at durability sync.
// A client has another will with each connection, and ends none with a word: each comes at least
// once to whoever subscribed to it.
//
// Beside that a counter in kv and the last payloads of history are held against what was
// acknowledged and kept, over kills and power cuts.
package crash
