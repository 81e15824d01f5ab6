package tidy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Row is one row of rooms.txt.
type Row struct {
	// Path is a folder; with Below it stands for every package below it too.
	Path  string
	Below bool
	// Imports are the rooms the package may import, TestImports those its tests may import besides.
	Imports, TestImports []string
	// Vendors are the third-party modules that live here, TestVendors those that its tests use.
	Vendors, TestVendors []string
	// Knows is one sentence.
	Knows string
}

// Map is rooms.txt.
type Map []Row

// ParseMap reads a map: a row a line, `path | imports | vendors | knows`, `#` begins a comment. A
// path or import that ends in /... stands for all below; `test:` before an import or vendor grants
// it to tests only.
func ParseMap(text string) (Map, error) {
	var m Map
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		row, err := parseRow(line)
		if err == nil && slices.ContainsFunc(m, row.same) {
			err = fmt.Errorf("%s stands twice", row.Path)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tidy: rooms line %d: %w", i+1, err))
		}
		m = append(m, row)
	}
	return m, errors.Join(errs...)
}

func parseRow(line string) (Row, error) {
	cells := strings.Split(line, "|")
	if len(cells) != 4 {
		return Row{}, fmt.Errorf("%d cells, want 4", len(cells))
	}
	var row Row
	row.Path, row.Below = strings.CutSuffix(strings.TrimSpace(cells[0]), "/...")
	row.Imports, row.TestImports = splitTest(cells[1])
	row.Vendors, row.TestVendors = splitTest(cells[2])
	row.Knows = strings.TrimSpace(cells[3])
	switch {
	case row.Path == "":
		return row, errors.New("no path")
	case row.Knows == "":
		return row, errors.New("no sentence of what it knows")
	case strings.Contains(strings.TrimSuffix(row.Knows, "."), ". "):
		return row, errors.New("more than one sentence of what it knows")
	}
	return row, nil
}

func (r Row) same(o Row) bool { return r.Path == o.Path && r.Below == o.Below }

func splitTest(cell string) (always, tests []string) {
	for _, word := range strings.Fields(cell) {
		if word == "-" {
			continue
		}
		if w, ok := strings.CutPrefix(word, "test:"); ok {
			tests = append(tests, w)
		} else {
			always = append(always, word)
		}
	}
	return always, tests
}

// Row answers the row of a room: its own, or the longest one that stands for all below.
func (m Map) Row(room string) (Row, bool) {
	var best Row
	found := false
	for _, r := range m {
		if r.Path == room && !r.Below {
			return r, true
		}
		if r.Below && under(room, r.Path) && len(r.Path) >= len(best.Path) {
			best, found = r, true
		}
	}
	return best, found
}

// CheckMap finds packages without a row and rows without a package.
func CheckMap(t *Tree, m Map) []Finding {
	var out []Finding
	rooms := t.Rooms()
	for _, room := range rooms {
		if _, ok := m.Row(room); !ok {
			out = append(out, Finding{Check: "rooms", Key: room, Pos: room,
				Text: "a package without a row in rooms.txt"})
		}
	}
	for _, row := range m {
		if !slices.ContainsFunc(rooms, func(r string) bool { return standsFor(row, r) }) {
			out = append(out, Finding{Check: "rooms", Key: row.Path, Pos: "rooms.txt",
				Text: "a row without a package"})
		}
	}
	return out
}

func standsFor(row Row, room string) bool {
	return row.Path == room && !row.Below || row.Below && under(room, row.Path)
}

// CheckArrows finds imports of rooms that the map does not allow. A cycle cannot be: Go refuses it.
func CheckArrows(t *Tree, m Map) []Finding {
	var out []Finding
	for _, f := range t.Files {
		row, ok := m.Row(f.Room)
		if !ok {
			continue
		}
		for _, imported := range f.Imports() {
			room, ok := ours(imported)
			if !ok || room == f.Room || allows(row.Imports, room) ||
				f.Test() && allows(row.TestImports, room) {
				continue
			}
			out = append(out, Finding{Check: "arrow", Key: f.Room + " -> " + room, Pos: f.Path,
				Text: f.Room + " may not import " + room})
		}
	}
	return out
}

// CheckVendors finds imports of third-party modules outside the room they live in.
func CheckVendors(t *Tree, m Map) []Finding {
	var out []Finding
	for _, f := range t.Files {
		row, _ := m.Row(f.Room)
		for _, imported := range f.Imports() {
			if _, mine := ours(imported); mine || imported == ModulePath || standard(imported) {
				continue
			}
			if allows(row.Vendors, imported) || f.Test() && allows(row.TestVendors, imported) {
				continue
			}
			out = append(out, Finding{Check: "vendor", Key: f.Room + " -> " + imported, Pos: f.Path,
				Text: imported + " does not live in " + f.Room})
		}
	}
	return out
}

// shared are vendors that more than one room may name: they bring words, not machinery.
var shared = []string{"github.com/spf13/cobra", "github.com/eclipse/paho", "golang.org/x/crypto"}

// CheckVendorRooms finds vendors with more than one home: with two, either could no longer be
// replaced alone. Commands share their flag library.
func CheckVendorRooms(m Map) []Finding {
	homes := map[string][]string{}
	var vendors []string
	for _, row := range m {
		if under(row.Path, "components") {
			continue
		}
		for _, v := range row.Vendors {
			if homes[v] == nil {
				vendors = append(vendors, v)
			}
			homes[v] = append(homes[v], row.Path)
		}
	}
	var out []Finding
	for _, v := range vendors {
		free := slices.ContainsFunc(shared, func(s string) bool { return strings.HasPrefix(v, s) })
		if len(homes[v]) > 1 && !free {
			out = append(out, Finding{Check: "vendor", Key: v, Pos: "rooms.txt",
				Text: v + " lives in " + strings.Join(homes[v], ", ")})
		}
	}
	return out
}

// allows says that one of the grants covers p: the same path, a package below a vendor module, or
// anything below a grant that ends in /...
func allows(grants []string, p string) bool {
	for _, g := range grants {
		dir, below := strings.CutSuffix(g, "/...")
		if p == dir || (below || strings.Contains(g, ".")) && under(p, dir) {
			return true
		}
	}
	return false
}
