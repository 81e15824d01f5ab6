// Command guest is the component vendor: its exports around the conversion.
package main

// main never runs: a guest is a library, for wasip1 only.
func main() {}
