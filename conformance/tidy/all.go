package tidy

// All runs every check.
func All(t *Tree, m Map) []Finding {
	var out []Finding
	for _, check := range []func(*Tree, Map) []Finding{CheckMap, CheckArrows, CheckVendors} {
		out = append(out, check(t, m)...)
	}
	out = append(out, CheckVendorRooms(m)...)
	for _, check := range []func(*Tree) []Finding{
		CheckApart, CheckNames, CheckComments, CheckInit, CheckState, CheckPure, CheckSleep,
		CheckFuzzed, CheckSizes, CheckComponents, CheckWords,
	} {
		out = append(out, check(t)...)
	}
	return out
}
