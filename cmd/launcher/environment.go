package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"dyno/launcher"
	"dyno/procfile"
)

// environment is a list of NAME=VALUE, each name once.
type environment []string

// given is the environment that we were given, less what was meant for us
// (DESIGN 2). Of a name that stands in it twice the last counts, as for shells
// and for our own settings.
func given(environ []string) environment {
	at := make(map[string]int, len(environ))
	env := make(environment, 0, len(environ))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if entry == "" || ours(name) {
			continue
		}
		if i, twice := at[name]; twice {
			env[i] = entry
			continue
		}
		at[name] = len(env)
		env = append(env, entry)
	}
	return env
}

// ours tells whether a variable was meant for the launcher itself. Of LISTEN_*
// only systemd's own names are: an app may well have a LISTEN_ADDRESS.
func ours(name string) bool {
	switch name {
	case "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "MAINPID",
		"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID":
		return true
	}
	return strings.HasPrefix(name, "EINHORN_") || strings.HasPrefix(name, "LAUNCHER_")
}

// Lookup is os.LookupEnv of this environment.
func (e environment) Lookup(name string) (string, bool) {
	i := e.at(name)
	if i < 0 {
		return "", false
	}
	return e[i][len(name)+1:], true
}

func (e environment) has(name string) bool { return e.at(name) >= 0 }

func (e environment) at(name string) int {
	for i, entry := range e {
		if len(entry) > len(name) && entry[len(name)] == '=' && entry[:len(name)] == name {
			return i
		}
	}
	return -1
}

// assign sets what NAME=VALUE says.
func (e *environment) assign(entry string) {
	name, _, _ := strings.Cut(entry, "=")
	if i := e.at(name); i >= 0 {
		(*e)[i] = entry
		return
	}
	*e = append(*e, entry)
}

func (e *environment) set(name, value string) { e.assign(name + "=" + value) }

// clone leaves room for what each process gets of its own.
func (e environment) clone() environment {
	return append(make(environment, 0, len(e)+8), e...)
}

// with adds the variables of env files. What the environment has already wins
// over them; of two files the later one wins.
func (e environment) with(variables []procfile.Variable) environment {
	env := e.clone()
	for _, v := range variables {
		if !e.has(v.Name) && !ours(v.Name) {
			env.set(v.Name, v.Value)
		}
	}
	return env
}

// envFiles are those that were given, or else .env, but not for exec.
func (s *resolution) envFiles() []string {
	if !s.EnvFilesGiven && s.Command != "exec" {
		return []string{".env"}
	}
	return s.EnvFiles
}

// readEnvFiles reads env files in their order. source is what asks for them, "" for
// nobody: one that is missing is a mistake only where it was asked for.
func (s *resolution) readEnvFiles(files []string, source string) []procfile.Variable {
	var all []procfile.Variable
	for _, file := range files {
		text, there, err := readIfThere(s.path(file), source != "")
		if err != nil {
			s.mistakeOnce(&procfile.Problem{
				File: file, What: "cannot read the env file: " + cause(err),
				Remedy: "create it, or name another: " + cmp.Or(source, "--env-file"),
			})
			continue
		}
		if !there {
			continue
		}
		variables, err := procfile.ParseEnv(file, text)
		if err != nil {
			for _, one := range mistakes(err) {
				s.mistakeOnce(one)
			}
			continue
		}
		s.noteEnvFile(envRead{file, len(variables)})
		for _, v := range variables {
			s.remarkVariable(file, v)
		}
		all = append(all, variables...)
	}
	return all
}

// variablesOf are those of a type's own env files, which launcher.toml names in
// place of those of all.
func (s *resolution) variablesOf(k *kind) []procfile.Variable {
	own := s.Types[k.name]
	if own.from["env-file"] == "" || s.EnvFilesGiven && s.From["env-file"] == "" {
		return s.variables
	}
	return s.readEnvFiles(own.EnvFiles, own.from["env-file"])
}

// noteEnvFile notes a file once: the lines of several types may name the same.
func (s *resolution) noteEnvFile(read envRead) {
	if !slices.Contains(s.made.EnvRead, read) {
		s.made.EnvRead = append(s.made.EnvRead, read)
	}
}

// remarkVariable says what a variable of an env file does not do, though one
// might think so.
func (s *resolution) remarkVariable(file string, v procfile.Variable) {
	p := procfile.Problem{File: file, Line: v.Line, Setting: v.Name}
	_, realOne := s.real.Lookup(v.Name)
	switch {
	case len(v.Missing) > 0 && !realOne:
		p.What = fmt.Sprintf("$%s became nothing: no line above sets it, and the real environment is not interpolated", strings.Join(v.Missing, ", $"))
		p.Remedy = "write the value out, or put it in single quotes where the $ is meant"
	case ours(v.Name):
		p.What = "is meant for the launcher, which does not read it from an env file; no process gets it"
		p.Remedy = "set it in the real environment, or use the flag"
	case v.Name == "COUNT" || v.Name == "INDEX" || v.Name == "SIDEKIQ_COUNT":
		if s.Nested {
			return
		}
		p.What = "is no setting here: the launcher takes it from the real environment"
		p.Remedy = "set it there, or use the flag"
	default:
		return
	}
	if text := p.Error(); s.first && !slices.Contains(s.made.Warnings, text) {
		s.made.Warnings = append(s.made.Warnings, text)
	}
}

// setOwn sets what the launcher tells each process (DESIGN 2). NOTIFY_SOCKET
// comes with the start.
func (s *resolution) setOwn(env *environment, k *kind, slot int) {
	env.set("PS", fmt.Sprintf("%s.%d", k.name, slot))
	env.set("INDEX", strconv.Itoa(k.index+slot-1))
	env.set("COUNT", strconv.Itoa(max(1, k.count)))
	env.set("STOP_TIMEOUT", strconv.Itoa(launcher.StopTimeout(s.Budget, s.QuietFor)))
	env.set("WITHIN_LAUNCHER", strconv.Itoa(os.Getpid()))
}

// The ports that foreman gives: a hundred apart for types, one for processes.
const (
	defaultPort  = 5000
	portsPerType = 100
	mostPort     = 65535
)

// setPort gives a process of start its own PORT, as foreman does: from $PORT,
// which an env file may set, or 5000.
func (s *resolution) setPort(env *environment, k *kind, slot int) bool {
	base := defaultPort
	if text, ok := k.env.Lookup("PORT"); ok && text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostPort {
			s.mistakeIn("PORT", fmt.Sprintf("%q is no port", text), "give a whole number from 1 to 65535, from which start counts up")
			return false
		}
		base = n
	}
	port := base + portsPerType*k.place + slot - 1
	if port > mostPort {
		s.mistakeIn("PORT", fmt.Sprintf("%s.%d would get port %d", k.name, slot, port), "start from a lower PORT")
		return false
	}
	env.set("PORT", strconv.Itoa(port))
	return true
}

// lookup is the value of a variable, "" where it is not set. Of two with the
// same name the last counts, as it does for shells.
func lookup(environ []string, name string) string {
	value := ""
	for _, entry := range environ {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value = v
		}
	}
	return value
}
