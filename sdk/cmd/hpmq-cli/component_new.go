package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/project"
)

func newComponentNew(s *settings) *cobra.Command {
	var lang, role string
	c := &cobra.Command{
		Use:   "new --lang LANGUAGE --role ROLE NAME",
		Short: "Make a folder with a component that builds",
		Long: `new makes a folder with a small component in it: a source file to begin with, golden
cases that it passes, and a README with the next commands. NAME is the folder; its last part is the
name of the component.

Languages, and the roles that there are of each:

` + languagesText(),
		Example: `  hpmq-cli component new --lang c --role transformer vendor
  hpmq-cli component new --lang rust --role authorizer ./components/site-rules
  cd vendor && hpmq-cli component build && hpmq-cli component test`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: noFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			return s.componentNew(args[0], lang, role)
		},
	}
	c.Flags().StringVar(&lang, "lang", "", "the language")
	c.Flags().StringVar(&role, "role", "", "the role")
	// The only error is a flag that is not there, a bug.
	_ = c.RegisterFlagCompletionFunc("role", func(*cobra.Command, []string, string) (
		[]string, cobra.ShellCompDirective,
	) {
		roles := project.Roles()
		if l, err := project.LanguageOf(lang); err == nil {
			roles = l.Roles
		}
		return roles, cobra.ShellCompDirectiveNoFileComp
	})
	mustHave(c, "lang", "role")
	return c
}

// languagesText is a line a language.
func languagesText() string {
	var lines []string
	for _, l := range project.Languages() {
		lines = append(lines, fmt.Sprintf("  %-15s %s", l.Name, strings.Join(l.Roles, ", ")))
	}
	return strings.Join(lines, "\n")
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " '\"$&;()*?") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

func (s *settings) componentNew(dir, lang, role string) error {
	p, names, err := project.New(dir, lang, role)
	if err != nil {
		return usageError{err}
	}
	if s.json {
		return s.printJSON(map[string]any{"name": p.Name, "dir": dir, "files": names})
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "sdk/") && !strings.HasPrefix(name, "wit/") {
			if err := s.printf("%s", filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return s.printf("next: cd %s && hpmq-cli component build && hpmq-cli component test",
		quoted(dir))
}

// projectOf is the folder that the arguments name, or this one.
func projectOf(args []string) (*project.Project, error) {
	dir := append(args, ".")[0]
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		if err == nil {
			dir = filepath.Dir(dir)
		}
	}
	p, err := project.Load(dir)
	if errors.Is(err, project.ErrNone) {
		err = fmt.Errorf("%w; name its folder, or make a component with: "+
			"hpmq-cli component new", err)
	}
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}
