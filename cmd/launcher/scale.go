package main

import (
	"fmt"
	"strconv"
	"strings"

	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutScale = `Brings a process type to N processes, from 0. What is too many is quieted,
drains and is stopped, the highest number first. Beyond COUNT, INDEX is no
longer unique over several dynos or pods. A fresh launcher begins with COUNT.`

func (a *app) scale() *cobra.Command {
	return a.operate("scale TYPE=N", "more or fewer processes", aboutScale, 1, 1,
		func(o *operator, args []string) error {
			typ, text, ok := strings.Cut(args[0], "=")
			n, err := strconv.Atoi(text)
			if !ok || typ == "" || err != nil || n < 0 {
				return wrong("scale", fmt.Sprintf("%q is no TYPE=N", args[0]), "write it like launcher scale worker=4")
			}
			_, err = o.ask(launcher.Request{Verb: launcher.AskScale, Target: typ, Count: n})
			return err
		})
}
