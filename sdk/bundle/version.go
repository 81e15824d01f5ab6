package bundle

import (
	"strings"

	"golang.org/x/mod/semver"
)

// ValidVersion says whether v is a version of semver 2.0, whole: 1.2.3, 1.2.3-rc.1, 1.2.3+build.
func ValidVersion(v string) bool {
	return !strings.HasPrefix(v, "v") && semver.IsValid("v"+v) &&
		strings.HasPrefix("v"+v, core(v))
}

// core is MAJOR.MINOR.PATCH of a version, with a v before it; semver fills in what is left out.
func core(v string) string {
	whole := semver.Canonical("v" + v)
	whole, _, _ = strings.Cut(whole, "-")
	return whole
}

// CompareVersions is negative if a is before b, positive if it is after, 0 if neither. What is no
// version is before all.
func CompareVersions(a, b string) int { return semver.Compare("v"+a, "v"+b) }
