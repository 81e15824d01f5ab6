package settings

import (
	"strconv"
	"strings"
)

// suggest is what to say of a key that is none of keys.
func suggest(key string, keys []string) string {
	best, least := "", 3
	for _, k := range keys {
		if d := distance(key, k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	return "known keys: " + strings.Join(keys, ", ")
}

// distance is how many bytes must be added, removed or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
