package main

import (
	"os"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/spf13/cobra"
)

const aboutCompletion = `Prints what makes the shell complete commands, flags, their values, and the
types of the Procfile:

  bash   source <(launcher completion bash)
  zsh    launcher completion zsh > "${fpath[1]}/_launcher"
  fish   launcher completion fish > ~/.config/fish/completions/launcher.fish`

func (a *app) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:               "completion SHELL",
		Short:             "completion for bash, zsh or fish",
		Long:              aboutCompletion,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch strings.Join(args, " ") {
			case "bash":
				return bashCompletion(root)
			case "zsh":
				return root.GenZshCompletion(os.Stdout)
			case "fish":
				return root.GenFishCompletion(os.Stdout, true)
			}
			p := &procfile.Problem{What: "completion needs a shell", Remedy: "it knows bash, zsh and fish"}
			if len(args) > 0 {
				p.What = "completion knows no shell " + strings.Join(args, " ")
			}
			return p
		},
	}
}

// bashWords stands in for the package bash-completion, which minimal images lack:
// it sets words, cword, cur and prev to the command line's words, those joined
// again that bash splits at = and : (COMP_WORDBREAKS). It is for bash 3.2 too.
const bashWords = `local line=$COMP_LINE word i last
    words=() cword=0
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        word=${COMP_WORDS[i]} last=$((${#words[@]} - 1))
        if [[ $i -gt 0 && $line != [[:blank:]]* && ( $word == [=:]* || ${words[last]} == *[=:] ) ]]; then
            words[last]+=$word
        else
            words+=("$word") last=$((last + 1))
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$word"}
        [[ $i -ne $COMP_CWORD ]] || cword=$last
    done
    cur=${words[cword]} prev=${words[cword > 0 ? cword - 1 : 0]}`

// bashCompletion prints cobra's script for bash, which asks for that package.
func bashCompletion(root *cobra.Command) error {
	var script strings.Builder
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	const asks = `_get_comp_words_by_ref "$@" cur prev words cword`
	_, err := os.Stdout.WriteString(strings.Replace(script.String(), asks, bashWords, 1))
	return err
}

// completeTypes offers the process types of the Procfile that are not named yet.
func (a *app) completeTypes(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	endOnSignal()
	if slices.Contains(a.argv, "--") {
		return nil, cobra.ShellCompDirectiveDefault // an argument for the processes: perhaps a file
	}
	file := ""
	if f := cmd.Flags().Lookup("procfile"); f != nil {
		file = f.Value.String()
	}
	var types []string
	for _, e := range readTypes(file, a.environ) {
		named := slices.ContainsFunc(args, func(arg string) bool {
			typ, _, _ := strings.Cut(arg, "=")
			return typ == e.Type
		})
		if !named {
			types = append(types, e.Type+"\t"+e.Command)
		}
	}
	return types, cobra.ShellCompDirectiveNoFileComp
}

// completeValues offers the values of a setting that have names. Those that
// are files are left to the shell.
func (a *app) completeValues(cmd *cobra.Command, s setting) {
	if s.value == "FILE" || s.value == "FILE,..." {
		return
	}
	complete := cobra.FixedCompletions(s.words, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(s.flag, complete); err != nil {
		panic("completion of --" + s.flag + ": " + err.Error()) // twice in the table
	}
}

// isType tells whether the Procfile has a process type of that name.
func isType(name string, environ []string) bool {
	for _, e := range readTypes("", environ) {
		if e.Type == name {
			return true
		}
	}
	return false
}

// readTypes reads what types there are, for suggestions and completion: what
// cannot be read has none. file is -f, or "".
func readTypes(file string, environ []string) []procfile.Entry {
	if file == "" {
		file = lookup(environ, "LAUNCHER_PROCFILE")
	}
	if file == "" {
		config, _ := readConfig(&request{
			Config: lookup(environ, "LAUNCHER_CONFIG"), Nested: lookup(environ, "WITHIN_LAUNCHER") != "",
			Environ: environ, Dir: workingDirectory(),
		})
		file = config.top["procfile"].text
	}
	if file == "" {
		file = "Procfile"
	}
	content, err := readText(file)
	if err != nil {
		return nil
	}
	entries, _ := procfile.Parse(file, content)
	return entries
}
