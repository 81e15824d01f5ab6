//go:build !faults

package fault

// On is true in a build for crash tests.
const On = false

// Point is passed: what is told to happen there happens.
func Point(string) {}

// Wrong is true where the order is to be the wrong one on purpose.
func Wrong(string) bool { return false }

// DirSynced notes that the names in a folder are safe.
func DirSynced(string) {}
