package output

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type object struct {
	Process, Stream, Line string
	Time                  time.Time
	Partial               bool
}

func TestJSON(t *testing.T) {
	out, errs := newReader(t).start(), newReader(t).start()
	o := open(t, Config{Mode: JSON, Stdout: out.fd(), Stderr: errs.fd()})
	p := start(t, o, `we"b.1`)
	long := strings.Repeat("é", maxLine/2-1)
	p.print(t, "plain\n\xff\"\\\t\x01é\n"+long+"xéend\n")
	_, _ = p.stderr.WriteString("oops")
	p.exit()
	before := time.Now()
	o.Close(time.Now().Add(generous))
	var got []object
	for line := range strings.Lines(out.all(t) + errs.all(t)) {
		var x object
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%v: %.100q", err, line)
		}
		if d := before.Sub(x.Time).Abs(); d > time.Hour {
			t.Errorf("time %v", x.Time)
		}
		x.Time = time.Time{}
		got = append(got, x)
	}
	const name = `we"b.1`
	want := []object{
		{Process: name, Stream: "stdout", Line: "plain"},
		{Process: name, Stream: "stdout", Line: "\ufffd\"\\\t\x01é"},
		// The second é would be cut in two.
		{Process: name, Stream: "stdout", Line: long + "x", Partial: true},
		{Process: name, Stream: "stdout", Line: "éend"},
		{Process: name, Stream: "stderr", Line: "oops"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%.2000s", diff)
	}
}

func TestJSONObjectLines(t *testing.T) {
	const wrapped = "" // becomes the text of an object of ours
	for line, want := range map[string]string{
		`{"a":1.0,  "b":[]}`:         `{"process":"w","a":1.0,  "b":[]}`,
		` { } ` + "\r":               `{"process":"w"}`,
		`{"a":{"process":"other"}}`:  `{"process":"w","a":{"process":"other"}}`,
		`{"process":"mine"}`:         wrapped,
		`{"a":1} {"b":2}`:            wrapped,
		`{"a":}`:                     wrapped,
		`[1]`:                        wrapped,
		"{\"a\":\"\xff\"}":           wrapped,
		`{`:                          wrapped,
		``:                           wrapped,
		`{"a":"` + "\u2028" + `é"}`:  `{"process":"w","a":"` + "\u2028" + `é"}`,
		`{"level":"info","msg":"x"}`: `{"process":"w","level":"info","msg":"x"}`,
	} {
		o := &Output{cfg: Config{Mode: JSON}}
		s := &source{head: o.head("w", "stdout"), object: objectHead("w")}
		got := string(appendJSON(nil, s, []byte("2026-01-02T03:04:05.000000Z"), []byte(line), false))
		if want != wrapped {
			if got != want+"\n" {
				t.Errorf("%q: %q", line, got)
			}
			continue
		}
		var x object
		if err := json.Unmarshal([]byte(got), &x); err != nil || x.Process != "w" || x.Line != strings.ToValidUTF8(line, "\ufffd") {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
}

// Any bytes become the string that the standard library makes of them.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
			rapid.Map(rapid.SliceOf(rapid.SampledFrom([]string{"\xff", "\"", "\\", "\n", "\x7f", "\xc3", "é", "\ufffd", "x"})),
				func(s []string) []byte { return []byte(strings.Join(s, "")) }),
		).Draw(rt, "text")
		var got, want string
		if err := json.Unmarshal(appendString(nil, text), &got); err != nil {
			rt.Fatal(err)
		}
		b, err := json.Marshal(string(text))
		if err != nil {
			rt.Fatal(err)
		}
		if err := json.Unmarshal(b, &want); err != nil {
			rt.Fatal(err)
		}
		if got != want {
			rt.Errorf("%q, want %q", got, want)
		}
	})
}
