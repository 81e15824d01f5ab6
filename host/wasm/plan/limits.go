package plan

import "fmt"

// Limits bound what a component may become. Nested components can double at each level, so that a
// binary of a few kilobytes stands for any number of instances: each limit is on the whole plan.
type Limits struct {
	CoreInstancesMax int // core instances, with memories and tables of their own
	ComponentsMax    int // component instances: each has a handle table
	TrampolinesMax   int // functions that the host makes
	ResourcesMax     int // resource types
	ImportsMax       int // functions and instances
	ExportsMax       int // functions and instances
	StepsMax         int // definitions with their parts, each as often as it is instantiated
}

// DefaultLimits fit what toolchains make, with room: an interpreter of JavaScript with all of WASI
// 0.2 has about 10 core instances, 300 trampolines, 200 imports, 3,000 definitions.
func DefaultLimits() Limits {
	return Limits{
		CoreInstancesMax: 256,
		ComponentsMax:    256,
		TrampolinesMax:   4096,
		ResourcesMax:     1024,
		ImportsMax:       2048,
		ExportsMax:       2048,
		StepsMax:         200_000,
	}
}

// within says that a limit is reached; n counts what there would be.
func within(n, high int, what, name string) error {
	if n <= high {
		return nil
	}
	return fmt.Errorf("more than %d %s (%s): make the component of fewer parts", high, what, name)
}
