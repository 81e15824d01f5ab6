// Command pack writes NAME/NAME.wasm.pack for each default component, in the form that package
// components embeds. It runs in the folder of the components; tools/components.sh calls it.
package main

import (
	"fmt"
	"os"

	"github.com/hpmq/hpmq/components"
)

func main() {
	for _, name := range append(components.Names(), components.Further()...) {
		if err := pack(name); err != nil {
			fmt.Fprintf(os.Stderr, "pack: %v\n", err)
			os.Exit(1)
		}
	}
}

func pack(name string) error {
	base, err := read(components.Base)
	if err != nil {
		return err
	}
	code, err := read(name)
	if err != nil {
		return err
	}
	packed, err := components.Pack(name, base, code)
	if err != nil {
		return err
	}
	return os.WriteFile(name+"/"+name+".wasm.pack", packed, 0o644)
}

func read(name string) ([]byte, error) { return os.ReadFile(name + "/" + name + ".wasm") }
