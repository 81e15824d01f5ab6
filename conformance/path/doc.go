// Package path knows the way of a PUBLISH: which functions stand between the bytes of one socket
// and the bytes of another. The way is a golden file, so that whoever makes it longer has to say
// so. It has no code of its own but a test, which needs -tags invariants.
package path
