package endpoint

import (
	"strconv"
	"strings"
)

// metricsType is that of Prometheus' text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// exposition is text in that format. It is written here: the libraries hold
// values of their own, and ours are the loop's.
type exposition struct {
	text   []byte
	name   string // of the family that is written
	header string // its HELP and TYPE, until the first sample
}

// family begins what samples follow. One without samples is left out.
func (e *exposition) family(name, kind, help string) {
	e.name = name
	e.header = "# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n"
}

// sample writes a value; labels are names and values in turn.
func (e *exposition) sample(value float64, labels ...string) { e.line("", value, labels...) }

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (e *exposition) line(suffix string, value float64, labels ...string) {
	e.text = append(e.text, e.header...)
	e.header = ""
	e.text = append(e.text, e.name...)
	e.text = append(e.text, suffix...)
	before := byte('{')
	for i := 0; i+1 < len(labels); i += 2 {
		e.text = append(e.text, before)
		before = ','
		e.text = append(e.text, labels[i]...)
		e.text = append(e.text, `="`...)
		e.text = append(e.text, escaper.Replace(labels[i+1])...)
		e.text = append(e.text, '"')
	}
	if before == ',' {
		e.text = append(e.text, '}')
	}
	e.text = append(e.text, ' ')
	e.text = append(e.text, decimal(value)...)
	e.text = append(e.text, '\n')
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
