package bundle

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	_, from := built(t, sources())
	if d := Diff(from, from); len(d) > 0 {
		t.Errorf("a bundle differs from itself: %v", d)
	}
	files := sources()
	files["sample.wasm"] = module(strings.NewReplacer("1.2.3", "1.2.0", `{"name":"config",`,
		`{"name":"publish","why":"alarms"},{"name":"config",`).Replace(stamped))
	files["bundle.json"] = strings.NewReplacer(`"fuel": 1000`, `"memory_bytes_max": 65536`,
		"a@v1.0.0", "a@v1.1.0", `"unit": "C"`, `"unit": "F"`).Replace(files["bundle.json"])
	files["schema.json"] = `{"type": "object", "properties": {"unit": {"enum": ["C", "F", "K"]},
		"rules": {"type": "array", "items": {"properties": {"topic": {"type": "string"}}}}}}`
	files["cases/a.json"] = strings.Replace(files["cases/a.json"], "drop", "keep", 1)
	files["cases/c.json"] = strings.Replace(files["cases/b.json"], `"b"`, `"c"`, 1)
	delete(files, "cases/b.json")
	_, to := built(t, files)
	var got strings.Builder
	for _, d := range Diff(from, to) {
		fmt.Fprintf(&got, "%s: %s > %s", d.What, d.From, d.To)
		if d.Alert != "" {
			fmt.Fprintf(&got, " (%s)", d.Alert)
		}
		got.WriteString("\n")
	}
	const s = "sample as transformer: "
	for _, want := range []string{
		"version: 1.2.3 > 1.2.0 (it is older)",
		s + "code: " + from.Components[0].Digest.Short() + " > " + to.Components[0].Digest.Short(),
		s + "capability publish:  > alarms (it wants more than before)",
		s + "limit fuel: 1000 > ",
		s + "limit memory_bytes_max:  > 65536",
		s + `config rules[].topic:  > {"type":"string"}`,
		s + `config rules:  > {"type":"array"}`,
		s + `config unit: {"enum":["C","F"]} > {"enum":["C","F","K"]}`,
		s + `defaults: {"unit":"C"} > {"unit":"F"}`,
		s + "case sample/cases/a.json: 1 of ",
		s + "case sample/cases/b.json: 1 of ",
		s + "case sample/cases/c.json:  > 1 of ",
		"contains pkg:golang/example.com/a@v1.0.0: yes > \n",
		"contains pkg:golang/example.com/a@v1.1.0:  > yes",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no %s in\n%s", want, got.String())
		}
	}
	if n := strings.Count(got.String(), "\n"); n != 14 {
		t.Errorf("%d differences:\n%s", n, got.String())
	}
	files["bundle.json"] = strings.Replace(files["bundle.json"], `"components": [{`,
		`"name": "sample", "version": "2.0.0", "licence": "MIT", "components": [{"wasm": "b.wasm",
			"name": "b", "role": "router"}, {`, 1)
	files["b.wasm"] = module(`{}`)
	_, more := built(t, files)
	if d := Diff(more, to); d[2].What != "b as router" || d[2].Alert == "" || d[2].To != "" {
		t.Errorf("a component that is gone: %+v", d)
	}
	if d := Diff(to, more); d[2].What != "b as router" || d[2].From != "" {
		t.Errorf("a component that is new: %+v", d)
	}
}

func TestVersions(t *testing.T) {
	for v, want := range map[string]bool{
		"1.2.3": true, "0.0.1-rc.1": true, "1.0.0+build.5": true, "1": false, "1.2": false,
		"v1.2.3": false, "01.2.3": false, "1.2.3-": false, "": false, "1.2.3 ": false,
	} {
		if got := ValidVersion(v); got != want {
			t.Errorf("%q: %v", v, got)
		}
	}
	if CompareVersions("1.10.0", "1.9.0") <= 0 || CompareVersions("1.0.0-rc.1", "1.0.0") >= 0 ||
		CompareVersions("1.0.0+a", "1.0.0+b") != 0 {
		t.Error("versions are not in the order of semver")
	}
}
