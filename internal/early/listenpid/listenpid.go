// Package listenpid gives a process the LISTEN_PID that sd_listen_fds(3) wants: its
// own pid, which nobody knows before it is there (P41). The launcher starts
// itself in the child's place; this package, which is initialised before all
// others of ours, sets the variable and executes the program.
//
// The step is started with every signal blocked (launcher's fork), and lifts
// that only when each has its default action again. So it seems to hear no quiet
// signal, although the Go runtime installs handlers for all (P49): what came
// meanwhile is pending, and does to the program what it would have done to one
// that was executed directly. The runtime itself unblocks those that end it:
// TERM, INT and HUP do so here too, QUIT would print its stacks.
//
// A Go program has threads, and where the limit of processes lets none be made
// (EAGAIN) its runtime prints a trace and ends it with status Starved. The step's
// standard error is the program's only from become on, and the launcher, who sees
// that status, tells it as the failed start that it is.
package listenpid

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Name is argv[0] of a process that is in the step, by which it knows itself.
const Name = "launcher:listen"

// variable is what the step sets, where it stands in the environment already.
const variable = "LISTEN_PID="

// Starved is the status of a step that could have no thread: the Go runtime's.
const Starved = 2

// Argv are the words that start path with argv by way of the step. shell, where
// it is not empty, runs path if the kernel cannot (ENOEXEC), as execvp(3) has it.
// The descriptor stderr becomes the program's standard error.
func Argv(path, shell string, stderr int, argv []string) []string {
	return append([]string{Name, path, shell, strconv.Itoa(stderr)}, argv...)
}

const ownWords = 4

func init() {
	if len(os.Args) <= ownWords || os.Args[0] != Name {
		return
	}
	if stderr, err := strconv.Atoi(os.Args[3]); err == nil {
		_ = duplicate(stderr, 2)
		_ = syscall.Close(stderr)
	}
	become(os.Args[1], os.Args[2], os.Args[ownWords:])
}

// become executes the program. Where that fails it says why and ends as a shell
// would: with 127 where there is no such file, else with 126.
func become(path, shell string, argv []string) {
	env := os.Environ()
	for i, entry := range env {
		if strings.HasPrefix(entry, variable) {
			env[i] = variable + strconv.Itoa(os.Getpid())
		}
	}
	defaultSignals()
	err := syscall.Exec(path, argv, env)
	if errors.Is(err, syscall.ENOEXEC) && shell != "" {
		err = syscall.Exec(shell, append([]string{shell, path}, argv[1:]...), env)
	}
	status, why := 126, err.Error()
	if errors.Is(err, syscall.ENOENT) {
		status = 127
		if _, there := os.Stat(path); there == nil {
			why = "the interpreter or loader it asks for is missing: " + why
		}
	}
	_, _ = os.Stderr.WriteString("launcher: cannot start " + argv[0] + ": " + why + "\n")
	os.Exit(status)
}
