package procfile

import (
	"math/rand/v2"
	"strings"
)

// generator makes lines as people write them, and as nobody would.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// plainAtoms are pieces of words that need no shell, oddAtoms may.
var (
	plainAtoms = []string{
		"a", "bc", "x=1", "--k=v", "-n", "a:b", "@", "%", "+", ",", "^", "]", "é", "Á", "!", "'q  q'", `"d  d"`, `\ `, `\'`, `\"`, `\\`,
		`\*`, `"\$"`, `"\\"`, `'\'`, `"'"`, `'"'`, `""`, "''", "$X", "${X}", `"$X"`, `"${Y}"`, "$Y", "$Z", "$E", `"$E"`,
		"${Z:-d}", "${Y:-d e}", `"${Z:-d  e}"`, `${Z:-"d  e"}`, `${E:-'f  g'}`, "${Z:-$X}", `"${E:-a${Z:-b}c}"`, "${E:-}", "$A", "~/x", "#",
	}
	oddAtoms = []string{
		"*", "a*", "?", "[ab]", "{a,b}", "{", "}", "~", "$", "$?", "$#", "$1", `"$@"`, "$((1+2))", "$(echo s t)", "`echo u`", `"$(echo s  t)"`,
		"${X#o}", "${X:+y}", "${#X}", "${Y-w}", "a=~/x", "x:~/y", `${Z:-\a}`, `"${Z:-'h'}"`, `"${Z:-\}}"`, `${Z:-"$Y"}`, "${Z:-~/x}", "${Z:-*}", `$"l"`, `$'m'`, "$$",
		"${Z:=set}", "$IFS", "$OPTIND", "$TERM", "$HOME",
	}
)

func (g generator) word() string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		if g.IntN(16) == 0 {
			b.WriteString(g.pick(oddAtoms...))
		} else {
			b.WriteString(g.pick(plainAtoms...))
		}
	}
	return b.String()
}

// simple is one simple command, perhaps with assignments and redirections.
func (g generator) simple() string {
	var words []string
	for range max(0, g.IntN(4)-1) {
		value := ""
		if g.IntN(4) > 0 {
			value = g.word()
		}
		words = append(words, g.pick("A", "B", "C", "X", "TERM")+"="+value)
	}
	if g.IntN(12) == 0 {
		words = append(words, g.pick("exec", "command", "!", "env", "> out", "PATH=/bin:$PATH", "IFS=a", "OPTIND=3", "E+=x"))
	}
	words = append(words, g.pick("show", "show", "show", "show", `"show"`, `sh\ow`))
	if g.IntN(6) == 0 {
		words = append(words, "exit", g.pick("1", "2", "77"))
	}
	for range g.IntN(4) {
		words = append(words, g.word())
	}
	if g.IntN(12) == 0 {
		words = append(words, g.pick("> out", "2>&1", "< /dev/null", ">> out", "< nosuchfile", "# comment", "2> /dev/null"))
	}
	return strings.Join(words, g.pick(" ", " ", "  ", "\t"))
}

// other is a command that is not simple, or that a builtin does.
func (g generator) other() string {
	switch g.IntN(14) {
	case 0:
		return g.pick("cd sub", "cd nowhere", "cd .")
	case 1:
		return "export " + g.pick("A=1", `B="$X"`, "X")
	case 2:
		return g.pick("A", "B", "X") + "=" + g.word()
	case 3:
		return g.pick("set -e", "set -u", "set -f", "set -eu", "set -m", "set -- p q", "set -o noglob")
	case 4:
		return g.pick("trap 'echo bye' EXIT", "trap '' TERM", `eval "trap 'echo bye' 0"`, ". ./env.sh", "alias show=echo", "show() { echo f; }")
	case 5:
		return "if " + g.pick("true", "false", "[ -n \"$X\" ]") + "; then " + g.simple() + "; fi"
	case 6:
		return "for i in 1 2; do " + g.simple() + "; done"
	case 7:
		return "( " + g.list() + " )"
	case 8:
		return "{ " + g.simple() + "; }"
	case 9:
		return "case $X in one) " + g.simple() + ";; *) true;; esac"
	case 10:
		return g.pick("unset X", "umask 022", "exit 9", ":", "readonly C", "false", "true", "shift", "test -f a.txt", "[ -d sub ]")
	case 11:
		return "echo " + g.word()
	case 12:
		return g.simple() + " | cat"
	default:
		return g.pick("printf x", "pwd -P", "while false; do :; done", "export PATH", "ulimit -c 0", "type show > /dev/null")
	}
}

func (g generator) list() string {
	var b strings.Builder
	for range g.IntN(3) {
		if g.IntN(3) > 0 {
			b.WriteString(g.other())
		} else {
			b.WriteString(g.simple())
		}
		b.WriteString(g.pick("; ", " && ", " || ", ";", "&&"))
	}
	if g.IntN(12) == 0 {
		b.WriteString(g.other())
	} else {
		b.WriteString(g.simple())
	}
	return b.String()
}

// noise are the arguments of show as a cat on the keyboard writes them: nothing
// in it can start another program.
func (g generator) noise() string {
	var b strings.Builder
	for range g.IntN(14) {
		b.WriteString(g.pick("a", "b", "A", " ", " ", "\t", "'", "'", `"`, `"`, `\`, "$", "$X", "${", "}", ":", "-", ":-", "Y", "Z", "=", "~", "/", "#", "*", "!", "^",
			"%", "+", "é", ",", ".", "@", "1", "{", "]", "X", "${Z:-", "${Y", "\"${E", "_"))
	}
	if g.IntN(3) == 0 {
		return "A=" + b.String() + " show"
	}
	return "show " + b.String()
}

// line is a whole line: noise, a simple command or a list.
func (g generator) line() string {
	switch g.IntN(5) {
	case 0:
		return g.noise()
	case 1, 2:
		return g.simple()
	default:
		return g.list()
	}
}

// bytesSource makes a fuzzer's bytes the generator's choices. The rest of each
// number, and what comes after the last byte, is noise: IntN would wait for
// ever for a number other than 0.
type bytesSource struct {
	choices []byte
	noise   *rand.PCG
}

func (s *bytesSource) Uint64() uint64 {
	n := s.noise.Uint64()
	if len(s.choices) > 0 {
		n = uint64(s.choices[0])<<56 | n>>8
		s.choices = s.choices[1:]
	}
	return n
}

func (g generator) vars() map[string]string {
	vars := map[string]string{"HOME": g.pick("/home/me", "/root", "/", "/with blank", "relative", "/a*")}
	for _, name := range []string{"X", "Y", "Z", "E", "A", "TERM"} {
		if g.IntN(4) == 0 {
			continue
		}
		vars[name] = g.pick("", "", "one", "one", "two words", "three  little\twords", " lead", "trail ", " ", "a\nb", "é", "Á À", "~", "~/x",
			"{a,b}", "*", "a?", `back\slash`, "-n", "#", "'", `"`, "$X", "a=b", "\x01", "\x88\x81")
	}
	return vars
}
