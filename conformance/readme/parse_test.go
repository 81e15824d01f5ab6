package readme

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// order is a command of the README with what it prints there.
type order struct {
	line    int
	machine string // the word before the $
	text    string // for a shell, lines joined
	prints  []string
}

var prompt = regexp.MustCompile(`^([a-z]+)\$ (.*)$`)

// parse answers the commands of all blocks that are fenced as console.
func parse(text string) ([]order, error) {
	var all []order
	inside, open := false, "" // open is what ends the heredoc
	for i, line := range strings.Split(text, "\n") {
		last := len(all) - 1
		switch m := prompt.FindStringSubmatch(line); {
		case !inside:
			inside = line == "```console"
		case line == "```":
			if open != "" {
				return nil, fmt.Errorf("README.md:%d: the command does not end", i+1)
			}
			inside = false
		case open != "":
			all[last].text += "\n" + line
			open = unfinished(all[last].text)
		case m != nil:
			all = append(all, order{line: i + 1, machine: m[1], text: m[2]})
			open = unfinished(m[2])
		case last < 0:
			return nil, fmt.Errorf("README.md:%d: want NAME$ COMMAND first", i+1)
		default:
			all[last].prints = append(all[last].prints, line)
		}
	}
	return all, nil
}

var heredoc = regexp.MustCompile(`<<'([A-Z]+)'`)

// unfinished is what a command waits for: the word that ends its heredoc, or the rest of its line.
func unfinished(text string) string {
	if m := heredoc.FindStringSubmatch(text); m != nil {
		if strings.HasSuffix(text, "\n"+m[1]) {
			return ""
		}
		return m[1]
	}
	for _, more := range []string{`\`, "|"} { // as a shell goes on to read
		if strings.HasSuffix(text, more) {
			return more
		}
	}
	return ""
}

// What may be another thing each time it is run: a digest or a name in the place of another is the
// same wherever it comes again; the rest need only look alike. Versions and percentages stay.
var (
	fixed  = `\d+\.\d+\.\d+\b|\d+(?:\.\d+)? %|step \d|signatures: \d|@\d\.\d|sha256`
	named  = `sha256:[0-9a-f]{64}|change-[A-Z0-9]{10}|\b[0-9a-f]{12}\b`
	moment = `(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?`
	figure = `\d+(?: \d{3})*(?:\.\d+)?(?: (?:ns|µs|ms|s|min)\b)?`
	pieces = regexp.MustCompile(`(` + named + `)|(` + moment + `)|(` + fixed + `)|(` + figure +
		`)|(…)`)
	spaces = regexp.MustCompile(`\s+`)
)

// few is what the broker adds where a busy machine asked a candidate too little meanwhile.
var few = regexp.MustCompile(`(; )?[a-z]+( step \d)? had (\d+ questions|nobody who asked) ` +
	`in \S+, \d+ (questions )?are needed to judge it`)

// plain is a line without what the eye passes over.
func plain(line string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(few.ReplaceAllString(line, ""), " "))
}

// names are what digests and names of the README are in this run.
type names map[string]string

// line says whether a printed line is the one that stands in the README.
func (n names) line(want, got string) bool {
	want = plain(want)
	var expr strings.Builder
	var asked []string
	at := 0
	for _, m := range pieces.FindAllStringSubmatchIndex(want, -1) {
		expr.WriteString(regexp.QuoteMeta(want[at:m[0]]))
		piece := want[m[0]:m[1]]
		switch at = m[1]; {
		case m[2] >= 0:
			asked = append(asked, piece)
			expr.WriteString(`(` + named + `)`)
		case m[4] >= 0:
			expr.WriteString(moment)
		case m[6] >= 0:
			expr.WriteString(regexp.QuoteMeta(piece))
		case m[8] >= 0:
			expr.WriteString(figure)
		default:
			expr.WriteString(`.*`)
		}
	}
	expr.WriteString(regexp.QuoteMeta(want[at:]))
	m := regexp.MustCompile(`^` + expr.String() + `$`).FindStringSubmatch(plain(got))
	if m == nil {
		return false
	}
	for i, name := range asked {
		if was, ok := n[name]; ok && was != m[i+1] {
			return false
		}
		n[name] = m[i+1]
	}
	return true
}

// optional says whether a line is printed each second alone: how both versions do.
func optional(line string) bool { return strings.HasPrefix(plain(line), "candidate ") }

// differs is the first line of want that is not in its place in got, "" if there is none. A line of
// … stands for any number of lines.
func (n names) differs(want, got []string) string {
	if len(want) == 0 {
		return strings.Join(got, "\n")
	}
	for len(want) > 0 {
		switch {
		case plain(want[0]) == "…":
			if len(want) == 1 {
				return ""
			}
			for len(got) > 0 && !n.line(want[1], got[0]) {
				got = got[1:]
			}
			want = want[1:]
		case len(got) > 0 && n.line(want[0], got[0]):
			want, got = want[1:], got[1:]
		case len(got) > 0 && optional(got[0]):
			got = got[1:]
		case optional(want[0]):
			want = want[1:]
		default:
			return want[0]
		}
	}
	for _, line := range got {
		if !optional(line) {
			return line
		}
	}
	return ""
}

func TestWhatIsPrintedIsCompared(t *testing.T) {
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	want := []string{
		"acme 1.0.0, " + digest("a"), "12:00:00.000  canary step 1   25 %",
		"              candidate 474 questions, 0 faults, p50 16.4 µs; active 0", "…",
		"3 of 3 failed; …", "it is " + digest("a"),
	}
	good := []string{
		"acme 1.0.0, " + digest("b"), "03:04:05.678  canary step 1  25 %", "a", "b",
		"1 234 of 2 000 failed; the rest", "it is " + digest("b"),
	}
	if d := (names{}).differs(want, good); d != "" {
		t.Errorf("differs at %q", d)
	}
	for i, bad := range map[int]string{
		0: "acme 1.0.1, " + digest("b"), 1: "03:04:05.678  canary step 1  5 %",
		4: "none of 2 000 failed; the rest", 5: "it is " + digest("c"),
	} {
		got := append([]string{}, good...)
		if got[i] = bad; (names{}).differs(want, got) == "" {
			t.Errorf("%q is taken for %q", bad, good[i])
		}
	}
	if (names{}).differs(want, append(good, "panic")) == "" || (names{}).differs(nil, good) == "" ||
		(names{}).differs(want, good[:3]) == "" {
		t.Error("lines too many or too few are taken")
	}
}

func TestCommandsAreRead(t *testing.T) {
	all, err := parse("x$ no\n```console\na$ one \\\n    two\nout\n\nb$ cat <<'END'\nin\nEND\n" +
		"more\n```\ny$ no\n```\nz$ no\n```\n")
	if err != nil || len(all) != 2 || all[0].text != "one \\\n    two" || all[1].machine != "b" ||
		all[1].text != "cat <<'END'\nin\nEND" || len(all[1].prints) != 1 || all[1].line != 7 {
		t.Errorf("%+v %v", all, err)
	}
	for _, bad := range []string{"```console\nout\n```", "```console\na$ cat <<'END'\nin\n```\n"} {
		if all, err := parse(bad); err == nil {
			t.Errorf("%q is taken as %+v", bad, all)
		}
	}
}
