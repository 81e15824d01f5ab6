// Package demo knows the story of the README: a device publishes vendor JSON while the
// transformer that reads it is swapped again and again, for good versions and for broken ones. It
// runs the real binaries and a real MQTT client, and says whether a message was lost, doubled,
// out of order, or a connection ended.
//
// It does not know how any of it works: it sees commands, their output, and messages.
package demo
