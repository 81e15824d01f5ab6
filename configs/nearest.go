package configs

// nearest answers the word most like s, or "" if none is like it.
func nearest(s string, words []string) string {
	best, bestAt := "", len(s)/3+2 // a third of the letters may be wrong, and one more
	for _, w := range words {
		if d := distance(s, w); d < bestAt {
			best, bestAt = w, d
		}
	}
	return best
}

// distance counts the letters to add, drop or change to make b of a (Levenshtein).
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
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
