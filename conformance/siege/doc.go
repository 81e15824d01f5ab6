// Package siege knows how clients can be a burden on purpose, and holds the real broker to its
// limits under each of them: its memory stays within what the limits allow, and a client that does
// nothing wrong is served all the while.
package siege
