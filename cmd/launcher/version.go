package main

import (
	"fmt"
	"runtime"

	"dyno/procfile"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "this program's version",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &procfile.Problem{What: fmt.Sprintf("version takes no arguments: %q", args[0]), Remedy: "leave it out"}
			}
			printVersion()
			return nil
		},
	}
}

func printVersion() {
	fmt.Printf("launcher %s, %s, %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
