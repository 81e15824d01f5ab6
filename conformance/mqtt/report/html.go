package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

//go:embed page.html
var pageText string

// HTML writes the report as one page that needs nothing from elsewhere.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"name":  func(id string) string { _, name, _ := cut(id); return name },
		"lines": func(l []string) string { return strings.Join(l, "\n") },
		"round": func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"bad":   func(res suite.Result) bool { return bad(&res) },
		"class": func(v any) string { return strings.ReplaceAll(fmt.Sprint(v), " ", "-") },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	b := &strings.Builder{}
	if err := page.Execute(b, r); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	// The template escapes markup and leaves control characters as the server sent them.
	if _, err := io.WriteString(w, printable(b.String())); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}
