package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Of the parsers only the syntax tree is used, which knows the line of each
// key. Decoding into a struct would tell one wrong type at a time, and cost
// four times the code (220 KB more in the binary).

// configKey is one KEY = VALUE of a launcher.toml.
type configKey struct {
	path []string // process, worker, count
	line int      // from 1
	kind unstable.Kind
	text string // as a flag would be given it; "" for a value that no flag can have
	list bool   // it was an array of strings, joined by commas
}

// configTable is one [process.TYPE], which may be empty.
type configTable struct {
	path  []string
	line  int
	array bool // [[process.TYPE]]
}

// configText is what a launcher.toml says, not checked yet.
type configText struct {
	keys   []configKey
	tables []configTable
}

// parseConfigText reads TOML. What it cannot read is told by one *Problem with
// its line, and what stands before that comes with it.
func parseConfigText(file string, text []byte) (configText, error) {
	var c configText
	var mistakes *multierror.Error
	var p unstable.Parser
	p.Reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	var table []string
	headers := map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, line := keyOf(&p, e)
			table = path
			c.tables = append(c.tables, configTable{path, line, e.Kind == unstable.ArrayTable})
			name := strings.Join(path, "\x00")
			if first, twice := headers[name]; twice && e.Kind == unstable.Table {
				mistakes = multierror.Append(mistakes, &procfile.Problem{
					File: file, Line: line, Setting: "[" + strings.Join(path, ".") + "]",
					What: fmt.Sprintf("stands there a second time, first on line %d", first), Remedy: "put both into one",
				})
			}
			headers[name] = line
		case unstable.KeyValue:
			c.addKey(&p, table, e)
		}
	}
	if err := p.Error(); err != nil {
		mistakes = multierror.Append(mistakes, syntaxMistake(file, &p, err))
	}
	return c, mistakes.ErrorOrNil()
}

// syntaxMistake is what the parser could not read, with its line.
func syntaxMistake(file string, p *unstable.Parser, err error) error {
	mistake := &procfile.Problem{File: file, What: "is no TOML: " + err.Error(), Remedy: `write SETTING = "VALUE" lines`}
	if e := new(unstable.ParserError); errors.As(err, &e) && len(e.Highlight) > 0 {
		mistake.Line = p.Shape(p.Range(e.Highlight)).Start.Line
	} else {
		mistake.Line = 1 + bytes.Count(bytes.TrimRight(p.Data(), "\n"), []byte("\n")) // the end
	}
	return mistake
}

// addKey adds a key below a table, or what the inline table that is its value
// holds.
func (c *configText) addKey(p *unstable.Parser, table []string, e *unstable.Node) {
	name, line := keyOf(p, e)
	key := configKey{path: append(table[:len(table):len(table)], name...), line: line}
	value := e.Value()
	key.kind = value.Kind
	switch value.Kind {
	case unstable.InlineTable:
		c.tables = append(c.tables, configTable{path: key.path, line: line})
		for it := value.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				c.addKey(p, key.path, it.Node())
			}
		}
		return
	case unstable.Array:
		key.text, key.list = stringsOf(value)
	case unstable.String, unstable.Bool:
		key.text = string(value.Data)
	case unstable.Integer, unstable.Float:
		key.text = strings.ReplaceAll(string(value.Data), "_", "")
	}
	c.keys = append(c.keys, key)
}

// keyOf is a dotted key, and its line.
func keyOf(p *unstable.Parser, e *unstable.Node) (path []string, line int) {
	for it := e.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		path = append(path, string(it.Node().Data))
	}
	return path, line
}

// stringsOf joins an array of strings as a flag takes them.
func stringsOf(array *unstable.Node) (text string, ok bool) {
	var all []string
	for it := array.Children(); it.Next(); {
		switch it.Node().Kind {
		case unstable.String:
			all = append(all, string(it.Node().Data))
		case unstable.Comment:
		default:
			return "", false
		}
	}
	return strings.Join(all, ","), true
}
