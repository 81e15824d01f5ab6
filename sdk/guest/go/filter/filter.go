// Package filter matches topic names against topic filters inside a guest, where each call and
// each turn of a loop is paid for. It knows the rules of [MQTT-4.7.1] for filters that are valid;
// it does not check that they are.
package filter

// Match reports whether the valid filter f matches the topic name.
func Match(f, name string) bool {
	if len(name) > 0 && name[0] == '$' && (f[0] == '+' || f[0] == '#') {
		return false // [MQTT-4.7.2-1]
	}
	at := 0
	for i := 0; i < len(f); i++ {
		switch c := f[i]; {
		case c == '#':
			return true
		case c == '+':
			for at < len(name) && name[at] != '/' {
				at++
			}
		case at == len(name):
			return f[i:] == "/#" // "a/#" matches "a" too
		case c != name[at]:
			return false
		default:
			at++
		}
	}
	return at == len(name)
}
