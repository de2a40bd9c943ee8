package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// defaultConfig is read where it is there and no other is named.
const defaultConfig = "launcher.toml"

// configFile is a launcher.toml whose values are all right: settings of the
// whole at its top, and those of one process type in [process.TYPE].
type configFile struct {
	name  string
	top   map[string]configKey // by flag
	types map[string]typeTable // by process type
}

// typeTable is one [process.TYPE].
type typeTable struct {
	request                   // its settings
	from    map[string]string // by flag: "launcher.toml:12"
	file    string
	line    int // where it begins
}

// ofProcesses are the settings of the file's top that concern processes, and so
// are read again at a restart; the others stay as they were at the start.
var ofProcesses = append([]string{"procfile", "formation"}, ofType...)

// configName is the file to read: that of --config or LAUNCHER_CONFIG, or
// launcher.toml, which may be missing. "" where we run below a launcher and none
// was named: what stands in the file was for that one.
func (r *request) configName() (name string, asked bool) {
	switch {
	case r.Config != "":
		return r.Config, true
	case r.Nested:
		return "", false
	}
	return defaultConfig, false
}

// readConfig reads and checks the file that r asks for. Without one it does
// nothing. With an error, a *multierror.Error of *procfile.Problem, the file
// holds what is right of it.
func readConfig(r *request) (*configFile, error) {
	name, asked := r.configName()
	if name == "" {
		return &configFile{}, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.Dir, path)
	}
	text, there, err := readIfThere(path, asked)
	switch {
	case err != nil:
		return &configFile{}, multierror.Append(nil, &procfile.Problem{
			File: name, What: "cannot read the settings: " + cause(err),
			Remedy: "create it, or name another with --config",
		})
	case !there:
		return &configFile{}, nil
	}
	return checkConfig(name, text, r.Environ)
}

// configure takes what the file's top sets and neither a flag nor a variable
// does, and what it sets for types.
func (s *settings) configure(file *configFile) error {
	var mistakes *multierror.Error
	s.config, s.Types, s.From = file, file.types, map[string]string{}
	for _, one := range table() {
		key, ok := file.top[one.flag]
		if !ok || s.Given[one.flag] != "" || !one.taken(s.Command) {
			continue
		}
		if err := one.take(s, one.flag, key.text); err != nil {
			mistakes = multierror.Append(mistakes, inFile(err, file.name, key.line)...)
			continue
		}
		s.From[one.flag] = fmt.Sprintf("%s:%d", file.name, key.line)
		if one.flag == "count" {
			s.CountFrom = s.From[one.flag]
		}
	}
	return mistakes.ErrorOrNil()
}

// resolveAgain makes a generation of the files as they are now, launcher.toml
// among them. The settings of the whole stay as they were at the start; that is
// said of those that changed.
func (s *settings) resolveAgain() (*generation, error) {
	next := settings{request: s.asked}
	file, mistake := readConfig(&next.request)
	mistake = together(mistake, next.configure(file))
	next.Budget, next.QuietFor = s.Budget, s.QuietFor
	gen, err := resolve(next.request, false)
	gen.Warnings = append(s.unmoved(file), gen.Warnings...)
	if mistake = together(mistake, err); mistake != nil && s.Sockets != nil {
		s.Sockets.Abort()
	}
	return gen, mistake
}

// unmoved names the settings that the file changed and that stay as they were.
func (s *settings) unmoved(file *configFile) []string {
	all := maps.Clone(s.config.top)
	if all == nil {
		all = map[string]configKey{}
	}
	maps.Copy(all, file.top)
	var said []string
	for _, flag := range slices.Sorted(maps.Keys(all)) {
		before, had := s.config.top[flag]
		now, has := file.top[flag]
		if slices.Contains(ofProcesses, flag) || s.Given[flag] != "" || had == has && before.text == now.text {
			continue
		}
		p := procfile.Problem{
			File: file.name, Line: now.line, Setting: flag,
			What: "is changed, and stays as it was", Remedy: "it counts from the launcher's next start on",
		}
		if file.name == "" {
			p.File = s.config.name
		}
		said = append(said, p.Error())
	}
	return said
}
