package configs

import (
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
)

// EnvPrefix begins every variable of the environment that is a setting. The rest is the path in
// upper case with two underscores for each step, list entries by number: HPMQ_ADMIN__BIND is
// admin.bind, HPMQ_LISTENERS__0__LIMITS__QOS_MAX is listeners[0].limits.qos_max. A value is read as
// YAML where a list or a mapping is due: HPMQ_LISTENERS='[{name: a, bind: "tcp://:1883"}]'.
const EnvPrefix = "HPMQ_"

// foreignEnv are beginnings of variables that are not settings: those of hpmq-cli, and those
// Kubernetes sets for a service named hpmq.
var foreignEnv = [...]string{"HPMQ_CLI_", "HPMQ_SERVICE_", "HPMQ_PORT"}

// environment is the provider of the settings in environ; it remembers in from where each came
// from.
func environment(environ []string, from origins) *env.Env {
	return env.Provider("__", env.Opt{
		Prefix:      EnvPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			for _, f := range foreignEnv {
				if strings.HasPrefix(name, f) {
					return "", nil
				}
			}
			key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
			path := ""
			for step := range strings.SplitSeq(key, "__") {
				if _, err := strconv.Atoi(step); err == nil {
					path += "[" + step + "]"
				} else {
					path = join(path, step)
				}
			}
			from.readText(path, name)
			if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") {
				return key, parseText(value)
			}
			return key, value
		},
	})
}

// overlay lays src over dest: mappings key by key, list entries by their number, all else whole.
// It is how koanf is told to merge, whose own way knows no list entries.
func overlay(src, dest map[string]any) error {
	for key, over := range src {
		dest[key] = laid(over, dest[key])
	}
	return nil
}

func laid(over, under any) any {
	m, ok := over.(map[string]any)
	if !ok {
		return over
	}
	switch under := under.(type) {
	case map[string]any:
		_ = overlay(m, under)
		return under
	case []any:
		if n := numbered(m); n > 0 {
			return laidByNumber(m, under, n)
		}
	case nil:
		if n := numbered(m); n > 0 {
			return laidByNumber(m, nil, n)
		}
		fresh := make(map[string]any, len(m))
		_ = overlay(m, fresh)
		return fresh
	}
	return over
}

// numbered answers the length of a list that has an entry for every key of m, or 0 if a key is none
// of an entry.
func numbered(m map[string]any) int {
	length := 0
	for key := range m {
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n >= ListenersMax {
			return 0
		}
		length = max(length, n+1)
	}
	return length
}

// laidByNumber lays the entries of m over those of list, made as long as n; gaps stay nil.
func laidByNumber(m map[string]any, list []any, n int) []any {
	for len(list) < n {
		list = append(list, nil)
	}
	for key, over := range m {
		i, _ := strconv.Atoi(key)
		list[i] = laid(over, list[i])
	}
	return list
}
