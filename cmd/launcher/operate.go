package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/internal/control"
	"dyno/launcher"
	"dyno/procfile"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// answerTimeout is how long a launcher may take to answer; it takes
// milliseconds, unless the whole machine is stuck.
const answerTimeout = 10 * time.Second

// operator is a command that asks a launcher that runs (DESIGN 7).
type operator struct {
	environ []string
	which   control.Which
	timeout span
	*control.Client
}

// span is a flag that takes a duration as our settings do.
type span struct {
	time.Duration
	name string
}

func (s *span) String() string { return s.Duration.String() }
func (s *span) Type() string   { return "time" }
func (s *span) Set(text string) error {
	d, err := duration("--"+s.name, text)
	if err == nil && d == 0 {
		err = wrong("--"+s.name, "0 is no time to wait", "write it like 30s")
	}
	s.Duration = d
	return err
}

// pidFlag is the flag --pid.
type pidFlag struct{ pid *int }

func (f pidFlag) String() string { return "" }
func (f pidFlag) Type() string   { return "PID" }
func (f pidFlag) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return wrong("--pid", fmt.Sprintf("%q is no process", text), "launcher status without it says what there is")
	}
	*f.pid = int(n)
	return nil
}

// waiting is the flag --wait[=TIME].
type waiting struct {
	asked bool
	limit time.Duration // 0: by the command
}

func (w *waiting) String() string { return "" }
func (w *waiting) Type() string   { return "time" }
func (w *waiting) Set(text string) error {
	w.asked = true
	if text == "auto" {
		return nil
	}
	s := span{name: "wait"}
	err := s.Set(text)
	w.limit = s.Duration
	return err
}

// operate makes a command that asks a launcher. body returns a mistake of the
// command line, or what cannot be done as a *failure.
func (a *app) operate(use, short, long string, least, most int, body func(o *operator, args []string) error) *cobra.Command {
	o := &operator{environ: a.environ, timeout: span{answerTimeout, "timeout"}}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			endOnSignal()
			if len(args) < least || len(args) > most {
				return countMistake(cmd, args, most)
			}
			a.status = statusFailed
			err := body(o, args)
			if p := new(procfile.Problem); errors.As(err, &p) {
				return p
			}
			if err != nil {
				complain(fmt.Errorf("%s: %w%s", cmd.Name(), err, apartFromWait(cmd, args)))
				return nil
			}
			a.status = 0
			return nil
		},
		ValidArgsFunction: o.complete,
	}
	o.addFlags(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("pid", completePIDs)
	return cmd
}

func (o *operator) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.which.Socket, "socket", "", "the launcher that serves this `PATH` (default: that of launcher.toml, or the only one that runs) [$LAUNCHER_SOCKET]")
	flags.Var(pidFlag{&o.which.PID}, "pid", "the launcher with this `PID`")
	flags.Var(&o.timeout, "timeout", "how long its answer may take, as a `TIME` (default 10s)")
}

func addWait(flags *pflag.FlagSet, w *waiting, help string) {
	flags.Var(w, "wait", help)
	flags.Lookup("wait").NoOptDefVal = "auto"
}

// apartFromWait is a hint for what was refused: `quiet --wait 40s` is about a
// process that is called 40s.
func apartFromWait(cmd *cobra.Command, args []string) string {
	if f := cmd.Flags().Lookup("wait"); f == nil || !f.Changed || len(args) != 1 {
		return ""
	}
	if _, err := duration("", args[0]); err != nil {
		return ""
	}
	return fmt.Sprintf("; if that is the time to wait, write --wait=%s", args[0])
}

// countMistake says what a command takes.
func countMistake(cmd *cobra.Command, args []string, most int) error {
	p := &procfile.Problem{Setting: cmd.Name(), What: "it needs more than that", Remedy: "it is used as launcher " + cmd.Use}
	if len(args) > most {
		p.What = fmt.Sprintf("%q is too much", args[most])
	}
	if len(args) > most && cmd.Flags().Lookup("wait") != nil && len(args) > 1 {
		p.Remedy += "; the time of --wait goes after a ="
	}
	return p
}

// find finds the launcher that is meant.
func (o *operator) find() error {
	which := o.which
	source := "--socket"
	if which.Socket == "" && which.PID == 0 {
		which.Socket, source = o.socketSet()
	}
	if which.Socket == "none" {
		return fmt.Errorf("there is no control socket: it is none by %s; of another launcher name it with --pid or --socket", source)
	}
	client, err := control.Find(which)
	if err != nil && which.Socket != "" && source != "--socket" {
		err = fmt.Errorf("%w (%s names it)", err, source)
	}
	o.Client = client
	return err
}

// socketSet is the control socket that the environment or launcher.toml sets for a
// launcher that is started here, and which of them does; "" where none does.
func (o *operator) socketSet() (path, source string) {
	if path = lookup(o.environ, "LAUNCHER_SOCKET"); path != "" {
		return path, "LAUNCHER_SOCKET"
	}
	file, _ := readConfig(&request{Config: lookup(o.environ, "LAUNCHER_CONFIG"), Environ: o.environ, Dir: workingDirectory()})
	key := file.top["socket"]
	return key.text, fmt.Sprintf("%s:%d", file.name, key.line)
}

// ask has a verb carried out, and says so.
func (o *operator) ask(r launcher.Request) (control.Reply, error) {
	if err := o.find(); err != nil {
		return control.Reply{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout.Duration)
	defer cancel()
	reply, err := o.Ask(ctx, r)
	if err != nil {
		return reply, err
	}
	text := reply.Text
	if len(reply.Names) > 0 {
		text += ": " + strings.Join(reply.Names, ", ")
	}
	fmt.Println(text)
	return reply, nil
}

// await watches the status until done says that it is so, or something else is
// wrong. limit 0: for ever. left says, at the limit, what is still awaited.
func (o *operator) await(status control.Status, limit time.Duration, done func(control.Status) (bool, error), left func(control.Status) string) error {
	return o.awaitEvery(0, status, limit, done, left)
}

// awaitEvery is await that asks done every so often also where nothing has
// changed: times that are shown go on. 0: it does not.
func (o *operator) awaitEvery(every time.Duration, status control.Status, limit time.Duration, done func(control.Status) (bool, error), left func(control.Status) string) error {
	ctx := context.Background()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	for {
		if ok, err := done(status); ok || err != nil {
			return err
		}
		next, err := o.watchFor(ctx, status, every)
		if ctx.Err() != nil {
			return fmt.Errorf("not within %s: %s", limit, left(status))
		}
		if err != nil {
			return err
		}
		status = next
	}
}

// watchTimeout is longer than the server holds a watcher.
const watchTimeout = 70 * time.Second

func (o *operator) watch(ctx context.Context, since uint64) (control.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	return o.Watch(ctx, since)
}

// watchFor is watch that comes back after a while although nothing has changed.
func (o *operator) watchFor(ctx context.Context, status control.Status, every time.Duration) (control.Status, error) {
	if every == 0 {
		return o.watch(ctx, status.Version)
	}
	short, cancel := context.WithTimeout(ctx, every)
	defer cancel()
	next, err := o.watch(short, status.Version)
	if err != nil && short.Err() != nil {
		status.Time = status.Time.Add(every)
		return status, nil
	}
	return next, err
}

// slotOf is the name of the slot of a process, which an old one beside a new
// one has more words after.
func slotOf(name string) string {
	slot, _, _ := strings.Cut(name, " (old")
	return slot
}

// those are the processes with one of the names, an old one beside a new one
// included.
func those(status control.Status, names []string) []control.Process {
	var found []control.Process
	for _, p := range status.Processes {
		if slices.Contains(names, slotOf(p.Name)) {
			found = append(found, p)
		}
	}
	return found
}

// optional is the NAME or TYPE that a command may be given.
func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// completionTimeout is what a person waits for at the tab key.
const completionTimeout = time.Second

// complete offers the types and names of the launcher that runs.
func (o *operator) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	endOnSignal()
	if cmd.Name() == "signal" && len(args) == 0 {
		return []string{"TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "TSTP", "CONT", "TTIN", "TTOU", "WINCH", "KILL"}, cobra.ShellCompDirectiveNoFileComp
	}
	if cmd.Name() == "status" || len(args) > 1 || len(args) == 1 && cmd.Name() != "signal" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	o.timeout.Duration = completionTimeout
	status, err := o.status()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var types, names []string
	for _, p := range status.Processes {
		types = append(types, p.Type)
		if !p.Old {
			names = append(names, p.Name+"\t"+p.State)
		}
	}
	types = slices.Compact(types)
	if cmd.Name() == "scale" {
		for i := range types {
			types[i] += "="
		}
		return types, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return append(types, names...), cobra.ShellCompDirectiveNoFileComp
}

func completePIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	endOnSignal()
	var pids []string
	for _, c := range control.List() {
		pids = append(pids, fmt.Sprintf("%d\t%s", c.PID, c.Place))
	}
	return pids, cobra.ShellCompDirectiveNoFileComp
}

// status finds the launcher and asks for its status.
func (o *operator) status() (control.Status, error) {
	if err := o.find(); err != nil {
		return control.Status{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout.Duration)
	defer cancel()
	return o.Status(ctx)
}

// note tells the user something beside the answer.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, "launcher: "+format+"\n", args...) }
