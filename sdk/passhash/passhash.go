// Package passhash makes and checks salted, slow hashes of passwords in the PHC string format:
//
//	$pbkdf2-sha256$i=10000,l=32$SALT$HASH
//
// with salt and hash in base64 without padding. It knows no user and no file; the command line
// makes hashes with it, the component authenticator-file checks them.
package passhash

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

const (
	// Iterations is what Make's callers use unless told otherwise: the least that NIST SP 800-63B
	// takes. In a guest they cost 60 ms of a core or more for each CONNECT, natively a tenth. A
	// hash carries its own number, so it can grow later.
	Iterations = 10000
	// IterationsMin and IterationsMax are what Parse takes. The upper bound is what the fuel of
	// an authenticator reaches (3 s in a guest), and keeps a mistyped number from holding up
	// every CONNECT.
	IterationsMin = 1000
	IterationsMax = 600000

	saltBytes    = 16
	saltBytesMin = 8
	keyBytes     = 32
	keyBytesMin  = 16
	keyBytesMax  = 64
)

// ErrFormat says that a text is not a hash this package knows.
var ErrFormat = errors.New("passhash: want $pbkdf2-sha256$i=ITERATIONS,l=LENGTH$SALT$HASH")

// Hash is a parsed hash.
type Hash struct {
	iterations int
	salt, key  []byte
}

// Make hashes password with a new random salt.
func Make(password []byte, iterations int) (string, error) {
	if iterations < IterationsMin || iterations > IterationsMax {
		return "", errors.New("passhash: iterations out of bounds")
	}
	h := Hash{iterations: iterations, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	if _, err := rand.Read(h.salt); err != nil {
		return "", err
	}
	var err error
	if h.key, err = h.derive(password); err != nil {
		return "", err
	}
	return h.String(), nil
}

// Parse reads a hash.
func Parse(text string) (Hash, error) {
	part := strings.Split(text, "$")
	if len(part) != 5 || part[0] != "" || part[1] != "pbkdf2-sha256" {
		return Hash{}, ErrFormat
	}
	i, l, ok := strings.Cut(part[2], ",")
	iterations, ok1 := parameter(i, "i=", IterationsMin, IterationsMax)
	length, ok2 := parameter(l, "l=", keyBytesMin, keyBytesMax)
	salt, err1 := base64.RawStdEncoding.DecodeString(part[3])
	key, err2 := base64.RawStdEncoding.DecodeString(part[4])
	if !ok || !ok1 || !ok2 || err1 != nil || err2 != nil ||
		len(salt) < saltBytesMin || len(key) != length {
		return Hash{}, ErrFormat
	}
	return Hash{iterations: iterations, salt: salt, key: key}, nil
}

func parameter(text, name string, low, high int) (int, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= low && n <= high
}

// Matches reports whether password is the one that was hashed. It takes the same time whatever the
// answer.
func (h Hash) Matches(password []byte) bool {
	key, err := h.derive(password)
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}

func (h Hash) derive(password []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(password), h.salt, h.iterations, len(h.key))
}

// String is the text Parse reads.
func (h Hash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return "$pbkdf2-sha256$i=" + strconv.Itoa(h.iterations) + ",l=" + strconv.Itoa(len(h.key)) +
		"$" + b64(h.salt) + "$" + b64(h.key)
}
