// Package crash knows what must survive when the broker is killed: it runs the real one under load,
// ends it with kill -9 at random moments, starts it again over the same folder, and compares what
// was acknowledged with what came.
package crash
