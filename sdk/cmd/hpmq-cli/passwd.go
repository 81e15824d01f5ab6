package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hpmq/hpmq/sdk/passhash"
)

// passwordBytesMax is what CONNECT can carry.
const passwordBytesMax = 65535

func newPasswd(s *settings) *cobra.Command {
	iterations := passhash.Iterations
	c := &cobra.Command{
		Use:     "passwd [USERNAME]",
		Aliases: []string{"hash"},
		Short:   "Hash a password for authenticator-file",
		Long: `Hash a password for authenticator-file. The password is the first line of standard
input, so that it stands in no history and no process list; at a terminal it is asked for twice and
does not show. With a user name the whole entry is
printed, as it goes under "users" in the component's configuration.`,
		Example: `  hpmq-cli passwd alice < password.txt
  openssl rand -base64 18 | tee password.txt | hpmq-cli passwd sensor-17`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return s.passwd(strings.Join(args, ""), iterations)
		},
	}
	c.Flags().IntVar(&iterations, "iterations", iterations, "of PBKDF2: each CONNECT pays for them")
	return c
}

func (s *settings) passwd(name string, iterations int) error {
	password, err := s.readPassword()
	if err != nil {
		return usageError{err}
	}
	hash, err := passhash.Make([]byte(password), iterations)
	if err != nil {
		return usageError{err}
	}
	switch {
	case s.json && name != "":
		return s.printJSON(map[string]string{"name": name, "hash": hash})
	case s.json:
		return s.printJSON(map[string]string{"hash": hash})
	case name != "":
		return s.printf("- {name: %q, hash: %q}", name, hash)
	}
	return s.printf("%s", hash)
}

// readPassword reads a line without its end; at a terminal twice, and it does not show.
func (s *settings) readPassword() (string, error) {
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return s.typePassword(func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) })
	}
	return firstLine(s.in)
}

// firstLine reads a password that is the first line, without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, passwordBytesMax+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return checkPassword(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
}

// typePassword asks a person; read reads a line that does not show.
func (s *settings) typePassword(read func() ([]byte, error)) (string, error) {
	var typed [2]string
	for i, ask := range []string{"password: ", "again: "} {
		_, _ = fmt.Fprint(s.err, ask)
		line, err := read()
		_, _ = fmt.Fprintln(s.err)
		if err != nil {
			return "", err
		}
		typed[i] = string(line)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two are not the same")
	}
	return checkPassword(typed[0])
}

func checkPassword(p string) (string, error) {
	switch {
	case p == "":
		return "", errors.New("no password in the first line")
	case len(p) > passwordBytesMax:
		return "", fmt.Errorf("a password has at most %d bytes", passwordBytesMax)
	}
	return p, nil
}
