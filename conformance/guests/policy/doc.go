// Package policy is the one policy that a guest of every language in this folder answers with: the
// reference for its prose in README.md, and the reader of its golden cases in cases.json. It knows
// neither wasm nor brokers.
package policy
