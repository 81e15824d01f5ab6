package project

import (
	"fmt"
	"slices"
	"strings"
)

// Language is what a component can be written in.
type Language struct {
	Name string
	// Title is its name for people.
	Title string
}

// Languages are all there are templates for.
func Languages() []Language {
	return []Language{
		{Name: "go", Title: "Go"},
		{Name: "tinygo", Title: "Go, built by TinyGo"},
	}
}

// Names are those of the languages.
func Names() []string {
	var names []string
	for _, l := range Languages() {
		names = append(names, l.Name)
	}
	return names
}

// LanguageOf is the language of that name.
func LanguageOf(name string) (Language, error) {
	all := Languages()
	at := slices.IndexFunc(all, func(l Language) bool { return l.Name == name })
	if at < 0 {
		return Language{}, fmt.Errorf("project: no language %q; there are %s", name,
			strings.Join(Names(), ", "))
	}
	return all[at], nil
}
