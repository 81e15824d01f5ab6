package link

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds of Ref.Env: the number of variables, and the bytes of their names and values together.
const (
	EnvMax      = 64
	EnvBytesMax = 8 << 10
)

func checkEnv(env map[string]string) error {
	if len(env) > EnvMax {
		return fmt.Errorf("it is given %d variables, at most %d are allowed", len(env), EnvMax)
	}
	bytes := 0
	for name, value := range env {
		bytes += len(name) + len(value)
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return fmt.Errorf("%.40q with %.40q is no variable of an environment", name, value)
		}
	}
	if bytes > EnvBytesMax {
		return fmt.Errorf("its variables have %d bytes, at most %d are allowed", bytes, EnvBytesMax)
	}
	return nil
}

// environment is env in the order of the names, so that each guest sees the same.
func environment(env map[string]string) [][2]string {
	var out [][2]string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, [2]string{name, env[name]})
	}
	return out
}

// waitMax is how long a guest of the role may wait for a clock at once. On a loop none may.
func (r Role) waitMax() time.Duration {
	if r == RoleAuthenticator || r == RoleWorker {
		return time.Second
	}
	return 0
}
