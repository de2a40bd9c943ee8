package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// checkConfig checks every value by the parser of its flag.
func checkConfig(name string, text []byte, environ []string) (*configFile, error) {
	c := &configCheck{
		file:  &configFile{name: name, top: map[string]configKey{}, types: map[string]typeTable{}},
		whole: settings{request: request{Environ: environ, QuietFor: -1}},
		seen:  map[string]int{},
		told:  map[string]bool{},
	}
	parsed, err := parseConfigText(name, text)
	if err != nil {
		c.mistakes = multierror.Append(c.mistakes, err)
	}
	for _, t := range parsed.tables {
		c.table(t)
	}
	for _, k := range parsed.keys {
		c.key(k)
	}
	if c.mistakes != nil {
		slices.SortStableFunc(c.mistakes.Errors, byLine)
	}
	return c.file, c.mistakes.ErrorOrNil()
}

// byLine orders mistakes as the reader of the file meets them.
func byLine(a, b error) int {
	p, q := new(procfile.Problem), new(procfile.Problem)
	if errors.As(a, &p) && errors.As(b, &q) {
		return p.Line - q.Line
	}
	return 0
}

// configCheck is a configFile in the making.
type configCheck struct {
	file     *configFile
	whole    settings        // takes the values of the top, for a look at them
	seen     map[string]int  // the line of each key
	told     map[string]bool // tables that were refused
	mistakes *multierror.Error
}

func (c *configCheck) mistake(line int, setting, what, remedy string) {
	c.mistakes = multierror.Append(c.mistakes, &procfile.Problem{File: c.file.name, Line: line, Setting: setting, What: what, Remedy: remedy})
}

// table checks a table's name: [process] and [process.TYPE] are all there are.
func (c *configCheck) table(t configTable) {
	name := "[" + strings.Join(t.path, ".") + "]"
	switch {
	case t.array:
		c.refuse(t, "["+name+"]", "is a list of tables", "write "+name)
	case t.path[0] != "process":
		remedy := fmt.Sprintf("what is for one process type stands in [process.%s]", t.path[0])
		switch {
		case len(t.path) == 2:
			remedy = fmt.Sprintf("did you mean [process.%s]?", t.path[1])
		case slices.Contains(settingNames(), t.path[0]):
			remedy = fmt.Sprintf(`it takes one value: %s; for one process type write [process.TYPE]`, example(settingNamed(t.path[0])))
		}
		c.refuse(t, name, "unknown table", remedy)
	case len(t.path) > 2:
		c.refuse(t, name, "unknown table", fmt.Sprintf("write [process.%s]", t.path[1]))
	case len(t.path) == 2:
		c.typed(t.path[1], t.line)
	}
}

// refuse notes a table that is none of ours; its keys are not looked at.
func (c *configCheck) refuse(t configTable, name, what, remedy string) {
	c.told[strings.Join(t.path, ".")] = true
	c.mistake(t.line, name, what, remedy)
}

// refused tells whether a key stands in such a table.
func (c *configCheck) refused(path []string) bool {
	for n := 1; n < len(path); n++ {
		if c.told[strings.Join(path[:n], ".")] {
			return true
		}
	}
	return false
}

// typed is the table of a process type, made where it is first met.
func (c *configCheck) typed(name string, line int) typeTable {
	t, ok := c.file.types[name]
	if !ok {
		t = typeTable{from: map[string]string{}, file: c.file.name, line: line}
		c.file.types[name] = t
	}
	return t
}

// key checks one value and keeps it.
func (c *configCheck) key(k configKey) {
	full := strings.Join(k.path, ".")
	if c.refused(k.path) {
		return
	}
	if first, twice := c.seen[full]; twice {
		c.mistake(k.line, full, fmt.Sprintf("is set a second time, first on line %d", first), "remove one of them")
		return
	}
	c.seen[full] = k.line
	switch {
	case len(k.path) == 1 && k.path[0] == "process":
		c.mistake(k.line, full, "is no table", "write [process.TYPE], and the type's settings below it")
	case len(k.path) == 1:
		c.topKey(k)
	case k.path[0] == "process" && len(k.path) == 2:
		c.mistake(k.line, full, "is no table",
			fmt.Sprintf("write [process.%s], and the type's settings below it; what is for all stands above the first [process.TYPE]", k.path[1]))
	case k.path[0] == "process" && len(k.path) == 3:
		c.typeKey(k)
	default:
		c.mistake(k.line, full, "unknown setting", "what is for one process type stands in [process.TYPE]")
	}
}

func (c *configCheck) topKey(k configKey) {
	name := k.path[0]
	one := settingNamed(name)
	switch {
	case one == nil:
		c.mistake(k.line, name, "unknown setting", suggestSetting(name, settingNames()))
	case name == "config":
		c.mistake(k.line, name, "is no setting of the file itself", "give --config or LAUNCHER_CONFIG")
	case c.takes(one, k, &c.whole):
		c.file.top[name] = k
	}
}

func (c *configCheck) typeKey(k configKey) {
	typ, name := k.path[1], k.path[2]
	one := settingNamed(name)
	switch {
	case one == nil:
		c.mistake(k.line, strings.Join(k.path, "."), "unknown setting", suggestSetting(name, ofType))
		return
	case !slices.Contains(ofType, name):
		c.mistake(k.line, strings.Join(k.path, "."), "is a setting of the whole launcher, not of one process type",
			"put it at the top of the file, above the first [process.TYPE]")
		return
	}
	t := c.typed(typ, k.line)
	line := settings{request: t.request}
	if c.takes(one, k, &line) {
		t.request = line.request
		t.from[name] = fmt.Sprintf("%s:%d", c.file.name, k.line)
		c.file.types[typ] = t
	}
}

// takes checks the kind of a value, then the value as that of a flag.
func (c *configCheck) takes(one *setting, k configKey, to *settings) bool {
	full := strings.Join(k.path, ".")
	if what := wrongKind(one, k); what != "" {
		c.mistake(k.line, full, what, "write it like "+example(one))
		return false
	}
	if err := one.take(to, full, k.text); err != nil {
		c.mistakes = multierror.Append(c.mistakes, inFile(err, c.file.name, k.line)...)
		return false
	}
	if one.flag == "count" && len(k.path) == 3 && to.Count.All == nil {
		c.mistake(k.line, full, fmt.Sprintf("%q names process types, in the table of one", k.text), "write it like count = 3")
		return false
	}
	return true
}
