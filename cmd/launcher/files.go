package main

import (
	"fmt"
	"io"
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
