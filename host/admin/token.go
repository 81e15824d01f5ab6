package admin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// tokenCharsMin is the least a token needs not to be guessed.
const tokenCharsMin = 16

// OpenToken reads the token in the file, or makes one and keeps it there, readable by its owner
// alone.
func OpenToken(file string) (string, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return createToken(file)
	}
	if err != nil {
		return "", fmt.Errorf("admin: token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < tokenCharsMin || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("admin: token: %s must hold one word of at least %d characters",
			file, tokenCharsMin)
	}
	return token, nil
}

func createToken(file string) (string, error) {
	token := rand.Text() + rand.Text()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("admin: token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("admin: token: %w", err)
	}
	return token, nil
}
