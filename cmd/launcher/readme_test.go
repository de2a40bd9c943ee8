package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"dyno/launcher"
	"dyno/procfile"
)

// readme is the README; TestReadme* hold it and the code together. With
// README=write in the environment the tables are written anew.
const readme = "../../README.md"

func TestReadmeTables(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	want := between(t, got, "settings", settingsTable())
	want = between(t, want, "servers", serversTable())
	if got == want {
		return
	}
	if os.Getenv("README") == "write" {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the README's tables are not the code's; write them anew: README=write go test -run TestReadmeTables ./cmd/launcher")
}

// between puts a table between the two comments that name it.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	open, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(text, open)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the README has no %s… %s", open, end)
	}
	return before + open + table + end + after
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| flag | environment | default | meaning |\n|---|---|---|---|\n")
	for _, s := range table() {
		flag := "`--" + s.flag + "`"
		if s.short != "" {
			flag = "`-" + s.short + "`, " + flag
		}
		if s.on != everywhere {
			flag += " (" + strings.ReplaceAll(s.on, " ", ", ") + ")"
		}
		env := "`" + strings.Join(s.env, "`, then `") + "`"
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", flag, env, cell(s.def), cell(s.help))
	}
	return b.String()
}

func serversTable() string {
	var b strings.Builder
	b.WriteString("| server | known by | quiet | stop | a second TERM | ready | drained |\n|---|---|---|---|---|---|---|\n")
	for _, s := range launcher.Servers() {
		quiet := "–"
		if s.Quiet != 0 {
			quiet = launcher.SignalName(s.Quiet)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			s.Name, cell(s.Programs), quiet, launcher.SignalName(s.Stop), cell(s.Second), cell(s.Ready), cell(s.Drained))
	}
	return b.String()
}

// cell keeps a text inside its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// TestReadmeProcfiles: every Procfile that the README shows is one.
func TestReadmeProcfiles(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for i, block := range strings.Split(string(text), "```") {
		if i%2 == 0 || !strings.HasPrefix(block, "\n") || !strings.Contains(block, "worker: ") || strings.Contains(block, "launcher:") {
			continue
		}
		shown++
		if _, err := procfile.Parse("README.md", []byte(block)); err != nil {
			t.Errorf("%s: %v", block, err)
		}
	}
	if shown == 0 {
		t.Error("the README shows no Procfile")
	}
}

// TestProcfileExample: the example that `make run` runs is sound.
func TestProcfileExample(t *testing.T) {
	text, err := os.ReadFile("../../Procfile.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := procfile.Parse("Procfile.example", text); err != nil {
		t.Error(err)
	}
}
