package procfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/joho/godotenv"
)

func TestParseEnv(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Variable
		errs       []string
	}{
		{name: "empty"},
		{name: "plain", text: "A=1\nB = two words \nexport C=3\nD: 4\nE=\nf.g=5", want: []Variable{
			{Name: "A", Value: "1", Line: 1},
			{Name: "B", Value: "two words", Line: 2},
			{Name: "C", Value: "3", Line: 3},
			{Name: "D", Value: "4", Line: 4},
			{Name: "E", Value: "", Line: 5},
			{Name: "f.g", Value: "5", Line: 6},
		}},
		{name: "comments, CRLF and a byte order mark", text: "\ufeff# x\r\n\r\nA=1 # one\r\nB=a#b\r\nC='c' # c\r\n", want: []Variable{
			{Name: "A", Value: "1", Line: 3}, {Name: "B", Value: "a#b", Line: 4}, {Name: "C", Value: "c", Line: 5},
		}},
		{name: "quotes over several lines", text: "A=\"one\ntwo\\nthree\"\nB='x\n y'\nC=\"a \\\"b\\\" c\"\nD=it's", want: []Variable{
			{Name: "A", Value: "one\ntwo\nthree", Line: 1},
			{Name: "B", Value: "x\n y", Line: 3},
			{Name: "C", Value: `a "b" c`, Line: 5},
			{Name: "D", Value: "it's", Line: 6},
		}},
		{name: "the last of two counts", text: "A=1\nB=2\nA=3", want: []Variable{{Name: "A", Value: "3", Line: 3}, {Name: "B", Value: "2", Line: 2}}},
		{name: "interpolation is within the file", text: "A=1\nB=$A/${A}/$HOME/${HOME}/$HOME\nC='$HOME'\nD=\\$HOME\nE=\"$NO\"", want: []Variable{
			{Name: "A", Value: "1", Line: 1},
			{Name: "B", Value: "1/1///", Line: 2, Missing: []string{"HOME"}},
			{Name: "C", Value: "$HOME", Line: 3},
			{Name: "D", Value: "$HOME", Line: 4},
			{Name: "E", Value: "", Line: 5, Missing: []string{"NO"}},
		}},
		{name: "mistakes, all at once", text: "A=1\nB C=2\nnothing\n=3\n1X=4\nÄ=5\nD=\"x\" y\nE-F=6\nG=\"open\nH=7\n", errs: []string{
			`.env:2: a blank in the name "B C"; write NAME=VALUE, the name of letters, digits and _`,
			`.env:3: "nothing" is not NAME=VALUE; write NAME=VALUE, the name of letters, digits and _`,
			`.env:4: no name before the =; write NAME=VALUE, the name of letters, digits and _`,
			`.env:5: "1X" is no name of a variable; write NAME=VALUE, the name of letters, digits and _`,
			`.env:6: "Ä" is no name of a variable; write NAME=VALUE, the name of letters, digits and _`,
			`.env:7: D: text after the closing quote: "y"; quote the whole value, and write a quote in it as \"`,
			`.env:8: "E-F" is no name of a variable; write NAME=VALUE, the name of letters, digits and _`,
			`.env:9: G: the quote " is not closed; add a " at the end of the value`,
		}},
		{name: "a forgotten quote shows below", text: "A='x\nB=1\nC='\njunk", errs: []string{
			`.env:4: "junk" is not NAME=VALUE; write NAME=VALUE, the name of letters, digits and _ (or the quote of A on line 1 is not closed where it should be)`,
		}},
		{name: "NUL", text: "A=1\nB=\x00", errs: []string{".env:2: holds a NUL byte; save it as plain text"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseEnv(".env", []byte(tt.text))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("variables (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.errs, lines(t, err)); d != "" {
				t.Errorf("errors (-want +got):\n%s", d)
			}
		})
	}
}

// FuzzEnv holds what is read against godotenv: the same names, the same values.
func FuzzEnv(f *testing.F) {
	f.Add("A=1\nexport B='x\ny' # z\nC: \"$A\\n\"\r\nB C=2\nD=\"")
	f.Fuzz(func(t *testing.T, text string) {
		variables, err := ParseEnv(".env", []byte(text))
		for _, line := range lines(t, err) {
			if !strings.HasPrefix(line, ".env:") {
				t.Errorf("error %q", line)
			}
		}
		if err != nil {
			return
		}
		got := map[string]string{}
		for _, v := range variables {
			if v.Line < 1 || v.Line > strings.Count(text, "\n")+1 {
				t.Errorf("%q on line %d", v.Name, v.Line)
			}
			got[v.Name] = v.Value
		}
		want, err := godotenv.Unmarshal(strings.TrimPrefix(text, "\ufeff"))
		if err != nil {
			t.Fatalf("godotenv refuses %q: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-godotenv +got):\n%s", text, d)
		}
	})
}
