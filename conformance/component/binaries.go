package component

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binary is a case as bytes.
type Binary struct {
	Name string `json:"name"`
	// Text is the begin of the digest of the text that it was made of.
	Text string `json:"text"`
	Wasm []byte `json:"wasm"`
	// Reference is what wasm-tools says: "valid", or why not.
	Reference string `json:"reference"`
}

// Digest is Binary.Text of a text.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// Load reads the binaries of a script from the file beside it, a list in JSON.
func Load(path string) ([]Binary, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []Binary
	return out, json.Unmarshal(data, &out)
}

// Save writes what Load reads, a line a case.
func Save(path string, list []Binary) error {
	var out bytes.Buffer
	for i, b := range list {
		out.WriteString([]string{"[\n", ",\n"}[min(i, 1)])
		line := json.NewEncoder(&out)
		line.SetEscapeHTML(false)
		if err := line.Encode(b); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteString("\n]\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Make makes the binary of a case with the program tool, which is wasm-tools, in folder dir.
func Make(tool, dir string, c Case) (Binary, error) {
	b := Binary{Name: c.Name, Text: Digest(c.Text), Reference: "valid"}
	out := filepath.Join(dir, "case.wasm")
	if err := b.encode(tool, out, c); err != nil {
		return b, fmt.Errorf("component: %s: %w", c.Name, err)
	}
	features := []string{"validate", out}
	if c.Verdict == Unserved {
		features = append(features, "--features", "all")
	}
	said, err := exec.Command(tool, features...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		b.Reference = reason(string(said))
		return b, nil
	}
	return b, err
}

// encode makes the bytes of a case, and leaves them in file out.
func (b *Binary) encode(tool, out string, c Case) error {
	if quoted, ok := strings.CutPrefix(c.Text, "(component binary"); ok {
		b.Wasm = unquote(strings.TrimSuffix(quoted, ")"))
		return os.WriteFile(out, b.Wasm, 0o600)
	}
	in := filepath.Join(filepath.Dir(out), "case.wat")
	if err := os.WriteFile(in, []byte(c.Text), 0o600); err != nil {
		return err
	}
	if said, err := exec.Command(tool, "parse", in, "-o", out).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	var err error
	b.Wasm, err = os.ReadFile(out)
	return err
}

// unquote joins strings of bytes written as \hh.
func unquote(text string) []byte {
	digits := strings.NewReplacer("\"", "", "\\", "", " ", "", "\n", "").Replace(text)
	out, _ := hex.DecodeString(digits)
	return out
}

// reason is the last cause that wasm-tools names, without the place.
func reason(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if i := strings.LastIndex(last, " (at offset"); i > 0 {
		last = last[:i]
	}
	for len(last) > 2 && last[1] == ':' || strings.HasPrefix(last, "error: ") {
		_, last, _ = strings.Cut(last, ": ")
	}
	return last
}
