package tidy

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// stray are words that belong to a desk, not to a project: paths of one machine, hosts of
// registries that a mirror may replace, work left for later. They are written in two parts, so that
// this file does not hold them.
var stray = regexp.MustCompile(strings.Join([]string{
	`/wo` + `rk/`, `/tmp/hp` + `mq`, `\bTO` + `DO\b`, `\bFIX` + `ME\b`, `\bHA` + `CK\b`,
	`proxy\.gol` + `ang\.org`, `sum\.gol` + `ang\.org`, `registry\.np` + `mjs\.org`,
	`deb\.deb` + `ian\.org`, `static\.cra` + `tes\.io`, `index\.cra` + `tes\.io`,
	`pypi\.o` + `rg`, `\bissue [0` + `-9]`,
}, "|"))

// CheckWords finds words that do not belong in the project, in any text file. STYLE.md and
// DESIGN.md come from outside and are not judged.
func CheckWords(t *Tree) []Finding {
	var out []Finding
	for _, p := range t.Texts {
		if p == "STYLE.md" || p == "DESIGN.md" || p == "go.sum" {
			continue
		}
		n := 0
		for line := range bytes.Lines(t.Text(p)) {
			n++
			if word := stray.Find(line); word != nil {
				out = append(out, Finding{Check: "word", Key: p, Pos: fmt.Sprintf("%s:%d", p, n),
					Text: fmt.Sprintf("%q does not belong in the project", word)})
			}
		}
	}
	return out
}
