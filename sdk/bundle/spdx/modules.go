package spdx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/mod/modfile"
)

const (
	lockBytesMax = 16 << 20
	modulesMax   = 10_000
)

// Modules are the package URLs of what a folder was built from, as its go.mod, Cargo.lock and
// package-lock.json say, sorted; none if there is no such file.
func Modules(dir string) ([]string, error) {
	var all []string
	for name, read := range map[string]func([]byte) ([]string, error){
		"go.mod": goModules, "Cargo.lock": crates, "package-lock.json": npmPackages,
	} {
		text, err := readLock(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var some []string
		if err == nil {
			some, err = read(text)
		}
		if err != nil {
			return nil, fmt.Errorf("spdx: %s: %w", filepath.Join(dir, name), err)
		}
		all = append(all, some...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > modulesMax {
		return nil, fmt.Errorf("spdx: %s: it is built from more than %d modules", dir, modulesMax)
	}
	return all, nil
}

func readLock(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, lockBytesMax+1))
	if err == nil && len(text) > lockBytesMax {
		err = fmt.Errorf("it has more than %d bytes", lockBytesMax)
	}
	return text, err
}

func goModules(text []byte) ([]string, error) {
	f, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range f.Require {
		out = append(out, packageURL("golang", r.Mod.Path, r.Mod.Version))
	}
	return out, nil
}

func crates(text []byte) ([]string, error) {
	var lock struct {
		Package []struct{ Name, Version, Source string }
	}
	if err := toml.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var out []string
	for _, p := range lock.Package {
		if p.Source != "" { // without one it is of the folder itself
			out = append(out, packageURL("cargo", p.Name, p.Version))
		}
	}
	return out, nil
}

func npmPackages(text []byte) ([]string, error) {
	var lock struct {
		Packages map[string]struct {
			Version string
			Link    bool
			Dev     bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var out []string
	for place, p := range lock.Packages {
		at := strings.LastIndex(place, "node_modules/")
		if at < 0 || p.Link || p.Version == "" {
			continue
		}
		out = append(out, packageURL("npm", place[at+len("node_modules/"):], p.Version))
	}
	return out, nil
}

// packageURL is a package URL; the slashes of a name stay.
func packageURL(kind, name, version string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), "@", "%40")
	}
	return "pkg:" + kind + "/" + strings.Join(parts, "/") + "@" + url.PathEscape(version)
}
