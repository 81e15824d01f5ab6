// Package recall knows what an operator finds out about messages that went by, with the real
// hpmq-cli at a real broker that logs them: looked up, followed, published again.
package recall
