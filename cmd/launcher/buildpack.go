package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"dyno/internal/buildpack"
	"dyno/procfile"

	"github.com/spf13/cobra"
)

// buildpack is what the scripts of bin/ call, with the buildpack's directory
// and what they were given.
func (a *app) buildpack() *cobra.Command {
	return &cobra.Command{
		Use:                "buildpack detect|build|compile|release DIR [ARG ...]",
		Short:              "what the buildpack's scripts do",
		Hidden:             true,
		DisableFlagParsing: true, // a platform may pass anything
		RunE: func(_ *cobra.Command, args []string) error {
			endOnSignal()
			if len(args) < 2 {
				return &procfile.Problem{What: "buildpack is for the scripts of its bin directory", Remedy: "call bin/detect, build, compile or release"}
			}
			call := &buildpack.Call{
				Dir: args[1], Args: args[2:], App: ".",
				Getenv: func(name string) string { return lookup(a.environ, name) },
				Arch:   runtime.GOARCH, Version: version, Out: os.Stdout,
			}
			var err error
			switch args[0] {
			case "detect":
				a.status, err = call.Detect()
			case "build":
				err = call.Build()
			case "compile":
				err = call.Compile()
			case "release":
				err = call.Release()
			default:
				return &procfile.Problem{What: fmt.Sprintf("buildpack knows no %q", args[0]), Remedy: "it knows detect, build, compile and release"}
			}
			if err != nil {
				a.status = statusFailed
				complainBuild(err)
			}
			return nil
		},
	}
}

// complainBuild writes every mistake in the style of Heroku's build output.
func complainBuild(err error) {
	var b strings.Builder
	for _, one := range mistakes(err) {
		fmt.Fprintf(&b, " !     %v\n", one)
	}
	os.Stderr.WriteString(b.String())
}
