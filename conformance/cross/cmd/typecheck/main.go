// Command typecheck checks the module it runs in for the targets it is given. It knows the command
// line; how to check, package cross knows.
//
//	go run ./conformance/cross/cmd/typecheck linux/arm windows/amd64
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hpmq/hpmq/conformance/cross"
)

func main() {
	failed := false
	for _, name := range os.Args[1:] {
		if err := check(name); err != nil {
			fmt.Fprintf(os.Stderr, "typecheck: %s:\n%v\n", name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(name string) error {
	target, err := cross.ParseTarget(name)
	if err != nil {
		return err
	}
	begun := time.Now()
	n, err := cross.Check(context.Background(), ".", target, "./...")
	if err == nil {
		fmt.Printf("%-16s %d packages, %d files, %.1f s\n", target, n.Packages, n.Files,
			time.Since(begun).Seconds())
	}
	return err
}
