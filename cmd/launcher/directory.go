package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// workingDirectory is its logical name where that is true ($PWD), so that a
// `current` link that moves counts from the next restart on (DESIGN 4).
func workingDirectory() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// findDirectory resolves the links in the working directory's name, so that a
// `current` link that moves counts from the next generation on (DESIGN 4).
func (s *resolution) findDirectory() {
	dir, err := filepath.Abs(s.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		err = mustBeDir(dir)
	}
	if err != nil {
		s.mistake(nil, "the working directory: "+err.Error(), "start the launcher in a directory that is there")
		dir = s.Dir
	}
	s.dir, s.dirName = dir, s.Dir
}

func mustBeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", dir)
	}
	return err
}

// path is where a file that the user named is.
func (s *resolution) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

const (
	revisionFile = "REVISION" // Capistrano's
	mostRevision = 100
)

// revision is what is known of the release in the generation's directory: its
// REVISION, else Heroku's commit; "" where neither tells.
func (s *resolution) revision() string {
	if f, err := os.Open(s.path(revisionFile)); err == nil {
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			text, _ := io.ReadAll(io.LimitReader(f, mostRevision))
			if line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n"); line != "" {
				return oneLine(strings.TrimSpace(line))
			}
		}
	}
	commit, _ := s.real.Lookup("HEROKU_SLUG_COMMIT")
	return oneLine(commit[:min(len(commit), mostRevision)])
}
