// Package hop measures what a question to a component costs: in each role, as a core module and as
// a component, compiled and interpreted, beside the same policy as a Go function and as an HTTP
// webhook. It knows the policy and how to ask it each way. It does not say what is fast enough.
package hop
