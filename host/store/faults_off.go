//go:build !faults

package store

// underFaults puts the devices of crash tests below the store, in a build for them.
func (*DiskConfig) underFaults() {}
