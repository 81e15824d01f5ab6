// Command guest is the component codec-lines; built for anything else than WebAssembly it does
// nothing.
package main

func main() {}
