//go:build wasip1

// Command guest is the component authenticator-file.
package main

import (
	users "github.com/hpmq/hpmq/components/authenticator-file"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
)

var _ = authenticator.Serve(&users.Users{})

func main() {}
