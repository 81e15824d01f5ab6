package mutants

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed mutants.txt
var table string

// Table is the faults of mutants.txt.
func Table() ([]Mutant, error) { return Parse(table) }

// Variable of the environment that switches a fault on, in a program that Build made.
const Variable = "BROKER_MUTANT"

// Tag is the build tag of the file that Build adds to each package it changes.
const Tag = "mutants"

// switchText is that file. It stands in no package of the tree.
const switchText = `//go:build ` + Tag + `

package %s

import "os"

var fault = os.Getenv("` + Variable + `")

func faulty(name string) bool { return fault == name }
`

// Apply puts all changes into the sources below root, one after the other, and answers the changed
// files by their paths.
func Apply(root string, all []Mutant) (map[string]string, error) {
	texts := make(map[string]string)
	for i := range all {
		for _, c := range all[i].Changes {
			if err := apply(texts, root, c); err != nil {
				return nil, fmt.Errorf("mutants: %s: %w", all[i].Name, err)
			}
		}
	}
	for file := range texts {
		dir := path.Dir(file)
		texts[dir+"/mutant_switch.go"] = fmt.Sprintf(switchText, path.Base(dir))
	}
	return texts, nil
}

func apply(texts map[string]string, root string, c Change) error {
	text, ok := texts[c.File]
	if !ok {
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.File)))
		if err != nil {
			return err
		}
		text = string(b)
	}
	first, last := strings.Index(text, "\n"+c.Old), strings.LastIndex(text, "\n"+c.Old)
	if first < 0 || first != last {
		return fmt.Errorf("%s does not have the lines that are to be changed once: %q; has the "+
			"source moved on? then write the fault anew", c.File, c.Old)
	}
	texts[c.File] = strings.Replace(text, "\n"+c.Old, "\n"+c.New, 1)
	return nil
}

// Build compiles hpmq with all faults in it, each switched off, from the sources below root into
// bin. work is a folder for what the compiler is handed.
func Build(ctx context.Context, root, work, bin string) error {
	all, err := Table()
	if err != nil {
		return err
	}
	texts, err := Apply(root, all)
	if err != nil {
		return err
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for file, text := range texts {
		copied := filepath.Join(work, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return fmt.Errorf("mutants: %w", err)
		}
		overlay.Replace[filepath.Join(root, filepath.FromSlash(file))] = copied
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	file := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", Tag, "-overlay", file, "-o", bin,
		"./host/cmd/hpmq")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mutants: build: %w\n%s", err, out)
	}
	return nil
}
