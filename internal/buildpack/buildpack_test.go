package buildpack

import (
	"strings"
	"testing"

	"dyno/procfile"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"
)

// launch is launch.toml as the spec has it, as far as we write it.
type launch struct {
	Processes []struct {
		Type    string   `toml:"type"`
		Command []string `toml:"command"`
		Default bool     `toml:"default"`
	} `toml:"processes"`
}

func decode(t interface{ Fatal(...any) }, text string) launch {
	var l launch
	d := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		t.Fatal(err, "\n", text)
	}
	return l
}

// TestLaunchTOML: whatever words a process has, a strict decoder reads them back.
func TestLaunchTOML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "words")
		first := rapid.Bool().Draw(t, "default")
		text, err := launchTOML([]process{{"web", words, first}, {"worker", words, false}})
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, text)
		if len(got.Processes) != 2 || got.Processes[0].Default != first || got.Processes[1].Default {
			t.Fatalf("%+v", got)
		}
		for _, p := range got.Processes {
			if diff := cmp.Diff(words, p.Command); diff != "" {
				t.Fatal(diff)
			}
		}
	})
	if _, err := launchTOML([]process{{"web", []string{"\xff"}, true}}); err == nil {
		t.Error("a word that is no UTF-8 is taken")
	}
}

func TestProcesses(t *testing.T) {
	const launcher = "/layers/a b/launcher/bin/launcher"
	run := func(typ, own string, first bool) process {
		return process{typ, []string{launcher, "run", own}, first}
	}
	for _, test := range []struct {
		name, procfile string
		want           []process
		wrong          string
	}{
		{"web is the default", "web: a\nworker: b", []process{run("web", "web", true), run("worker", "worker", false)}, ""},
		{"the only one is", "worker: b", []process{run("worker", "worker", true)}, ""},
		{"none of several is", "a: b\nc: d", []process{run("a", "a", false), run("c", "c", false)}, ""},
		{"names", "My_Worker2: b\nWEB: c", []process{run("my-worker2", "My_Worker2", false), run("web", "WEB", true)}, ""},
		{
			"release", "web: a\nrelease: rake db:migrate && echo 'done'",
			[]process{run("web", "web", true), {"release", []string{"bash", "-c", "rake db:migrate && echo 'done'"}, false}},
			"",
		},
		{
			"a release that asks for the launcher", "web: a\nrelease: launcher exec --budget 30s rake db:migrate",
			[]process{run("web", "web", true), run("release", "release", false)},
			"",
		},
		{"the launcher's name", "web: a\n\nLauncher: b", nil, "Procfile:3: Launcher: the image's own launcher has this name"},
		{"two of a name", "my-web: a\nmy_web: b", nil, "Procfile:2: my_web: is my-web in the image, as my-web of line 1 is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var entries []entry
			parsed, err := procfile.Parse(procfileName, []byte(test.procfile))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range parsed {
				_, launched := procfile.Unwrap(e.Command)
				entries = append(entries, entry{e, launched})
			}
			got, err := processesOf(entries, launcher)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("%v, want %s", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(process{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
