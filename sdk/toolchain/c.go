package toolchain

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hpmq/hpmq/sdk/project"
)

// clangs are the compilers that can make wasm, the newest first.
func clangs() []string {
	var names []string
	for version := 22; version >= 14; version-- {
		names = append(names, fmt.Sprintf("clang-%d", version))
	}
	return append(names, "clang")
}

// llvm is how clang and its linker are got.
func llvm(tool string) *MissingError {
	return &MissingError{tool, []string{
		"Debian, Ubuntu: apt-get install clang-19 lld-19 (or clang lld)",
		"Fedora: dnf install clang lld",
		"macOS: brew install llvm lld, with $(brew --prefix llvm)/bin on PATH",
		"Windows: winget install LLVM.LLVM",
	}}
}

func planC(p *project.Project, m Machine) (*Plan, error) {
	clang, err := m.first("CLANG", clangs()...)
	if err != nil {
		return nil, llvm("clang")
	}
	_, version, _ := strings.Cut(filepath.Base(clang), "clang")
	linker, err := m.first("WASM_LD", "wasm-ld"+version, "wasm-ld")
	if err != nil {
		return nil, llvm("wasm-ld" + version + ", the linker of " + filepath.Base(clang) + ",")
	}
	var sources []string
	for _, pattern := range []string{"*.c", "bindings/*.c"} {
		found, err := m.Sources(filepath.Join(p.Dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("toolchain: %w", err)
		}
		sources = append(sources, found...)
	}
	if sources == nil {
		return nil, fmt.Errorf("toolchain: no *.c in %s", p.Dir)
	}
	plan := &Plan{Made: build(p, "core.wasm")}
	strip := "--strip-all"
	if m.Names {
		strip = "--strip-debug"
	}
	link := []string{linker, "--no-entry", strip, "-o", plan.Made}
	for i, source := range sources {
		abs, err := filepath.Abs(source)
		if err != nil {
			return nil, fmt.Errorf("toolchain: %w", err)
		}
		object := build(p, fmt.Sprintf("%d.o", i))
		link = append(link, object)
		plan.Steps = append(plan.Steps, Step{
			What: "compiling " + filepath.Base(source), Dir: p.Dir,
			Args: []string{clang, "--target=wasm32", "-std=c17", "-O2", "-mbulk-memory", "-Wall",
				"-Wextra", "-c", "-o", object, abs},
		})
	}
	plan.Steps = append(plan.Steps, Step{What: "linking", Dir: p.Dir, Args: link})
	return plan, nil
}

// Where Debian has a Rust whose std can be built for wasm.
const (
	debianRust = "/usr/bin/rustc"
	debianStd  = "/usr/lib/rustlib/src/rust/library/std"
)

func planRust(p *project.Project, m Machine) (*Plan, error) {
	const target = "wasm32-unknown-unknown"
	cargo, err := m.first("CARGO", "cargo")
	if err != nil {
		return nil, &MissingError{"cargo", []string{
			"Linux, macOS: curl -sSf https://sh.rustup.rs | sh, then rustup target add " + target,
			"Windows: winget install Rustlang.Rustup, then rustup target add " + target,
		}}
	}
	name := strings.ReplaceAll(p.Name, "-", "_")
	folder := build(p, "target")
	step := Step{
		What: "compiling with cargo (the first time takes a minute)", Dir: p.Dir,
		Args: []string{cargo, "build", "--quiet", "--release", "--target", target},
		Env:  []string{"CARGO_TARGET_DIR=" + folder},
	}
	if m.Names {
		step.Env = append(step.Env, "CARGO_PROFILE_RELEASE_STRIP=debuginfo")
	}
	root, err := m.Ask("rustc", "--print", "sysroot")
	has := err == nil && m.Exists(filepath.Join(strings.TrimSpace(root), "lib", "rustlib", target))
	if !has {
		if !m.Exists(debianRust) || !m.Exists(debianStd) {
			return nil, &MissingError{"Rust's target " + target, []string{
				"rustup: rustup target add " + target,
				"Debian: apt-get install rustc-web rust-web-src lld-19",
			}}
		}
		linker, err := m.first("WASM_LD", "wasm-ld-19", "wasm-ld")
		if err != nil {
			return nil, llvm("wasm-ld")
		}
		step.Args = append(step.Args, "-Zbuild-std=std,panic_abort")
		step.Env = append(step.Env, "RUSTC="+debianRust, "RUSTC_BOOTSTRAP=1",
			"CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="+linker)
	}
	made := filepath.Join(folder, target, "release", name+".wasm")
	return &Plan{Made: made, Steps: []Step{step}}, nil
}
