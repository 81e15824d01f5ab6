package app

import "runtime/debug"

// release is the version of the next release; a build of a tag has that in its build information.
const release = "0.1.0"

// Version answers what this program is: the release, or what it will be, with the commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release + "-dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "-dev+" + s.Value[:12]
		}
	}
	return release + "-dev"
}
