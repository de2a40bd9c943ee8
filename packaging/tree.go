package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// epoch is the time of every file: what pack and Debian's lint take for old
// enough to be nobody's, and zip can hold.
var epoch = time.Date(1980, time.January, 1, 0, 0, 1, 0, time.UTC)

// file is one of a tree: a regular one, or a symbolic link.
type file struct {
	path string // with slashes, relative
	mode fs.FileMode
	data string
	link string
}

// tree is a set of files; the directories follow from their paths.
type tree []file

func (t *tree) add(path string, mode fs.FileMode, data string) {
	*t = append(*t, file{path: path, mode: mode, data: data})
}

// copy adds what is in the file from.
func (t *tree) copy(path string, mode fs.FileMode, from string) error {
	text, err := os.ReadFile(from)
	if err == nil {
		t.add(path, mode, string(text))
	}
	return err
}

func (t *tree) addLink(path, target string) { *t = append(*t, file{path: path, link: target}) }

// only is one of the files.
func (t tree) only(path string) tree {
	return slices.DeleteFunc(slices.Clone(t), func(f file) bool { return f.path != path })
}

// sorted are the files by path.
func (t tree) sorted() []file {
	return slices.SortedFunc(slices.Values(t), func(a, b file) int { return strings.Compare(a.path, b.path) })
}

// dirs are the directories above the files, the upper ones first.
func (t tree) dirs() []string {
	all := map[string]bool{}
	for _, f := range t {
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			all[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// archive is a .tar.gz, with prefix before each path; all of it root's.
func (t tree) archive(prefix string) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	header := func(h tar.Header) error {
		h.Name, h.ModTime, h.Format = prefix+h.Name, epoch, tar.FormatUSTAR
		return w.WriteHeader(&h)
	}
	for _, dir := range t.dirs() {
		if err := header(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for _, f := range t.sorted() {
		h := tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: int64(f.mode), Size: int64(len(f.data))}
		if f.link != "" {
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.link, 0o777
		}
		if err := header(h); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f.data)); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// write puts a tree into a directory.
func (t tree) write(dir string) error {
	for _, f := range t.sorted() {
		to := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(f.data), f.mode); err != nil {
			return err
		}
		if err := os.Chmod(to, f.mode); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

// writeSums writes SHA256SUMS of all that is in a directory, for sha256sum -c.
func writeSums(dir string) error {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(dir, name)
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), filepath.ToSlash(short))
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(b.String()), 0o644)
}

// zipped is a file as gzip -9n makes it.
func zipped(text string) (string, error) {
	var b strings.Builder
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write([]byte(text)); err != nil {
		return "", err
	}
	err = z.Close()
	return b.String(), err
}
