// Package readme knows whether the README tells the truth: it runs what its console blocks say with
// the real binaries at real brokers, with a real registry, then compares what is printed with what
// stands there. Digests, times and figures may be others.
package readme
