package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

// HTML writes the report as one page that needs nothing from elsewhere.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"name":  func(id string) string { _, name, _ := cut(id); return name },
		"lines": func(l []string) string { return strings.Join(l, "\n") },
		"round": func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"class": func(v any) string { return strings.ReplaceAll(fmt.Sprint(v), " ", "-") },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	if err := page.Execute(w, r); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}
