package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// mostText is the most that a Procfile, an env file or a launcher.toml may have:
// far more than any has, and little enough that a wrong file, or /dev/zero, does
// not take the memory of the machine.
const mostText = 8 << 20

// readText reads a whole file that a user wrote. It may be a pipe, as of <(…).
func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostText+1))
	if err == nil && len(text) > mostText {
		err = fmt.Errorf("it is larger than %d MB", mostText>>20)
	}
	return text, err
}

// readIfThere is readText where there may be no file: that is no error where nobody
// asked for it, and neither is a directory: .env may be a Python environment.
func readIfThere(path string, asked bool) (text []byte, there bool, err error) {
	if info, err := os.Stat(path); !asked && (errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir()) {
		return nil, false, nil
	}
	text, err = readText(path)
	return text, err == nil, err
}
