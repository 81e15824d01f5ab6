// Command go is the policy of ../README.md in Go. TinyGo and Go itself build it from this one
// source, as a core module and as a component.
package main

// main never runs: a guest is a library, for wasip1 only.
func main() {}
