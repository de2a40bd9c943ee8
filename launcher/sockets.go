package launcher

import (
	"strconv"
	"strings"
)

// Socket is one that a process is handed, open, as its descriptor 3 or above
// (DESIGN 8).
type Socket struct {
	FD   int    // in this process
	Name string // for LISTEN_FDNAMES: no colon in it
	Addr string // tcp://0.0.0.0:3000 or unix:///run/app.sock; "" where it is not known
}

// firstSocket is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstSocket = 3

// handover is how a process is told of its sockets.
type handover struct {
	env  []string
	step bool // its LISTEN_PID is still to be set (P41)
}

// handOver tells spec's process of its sockets: as systemd does, but puma and
// unicorn that a shell or wrapper starts by their own variables, which name no
// pid. Never both: puma closes what it finds twice, unicorn listens twice. What
// nginx and einhorn's clients read is beside that, and harms nobody else
// (FACTS 4 and 5). ack is the path of the socket for worker:ack, or ""; canStep
// tells whether LISTEN_PID can be set.
func handOver(spec *Spec, pid int, ack string, canStep bool) handover {
	if len(spec.Sockets) == 0 {
		return handover{}
	}
	var numbers, names, env []string
	for i, one := range spec.Sockets {
		number := strconv.Itoa(firstSocket + i)
		numbers, names = append(numbers, number), append(names, one.Name)
		env = append(env, "EINHORN_FD_"+strconv.Itoa(i)+"="+number)
	}
	env = append(env, "EINHORN_FD_COUNT="+strconv.Itoa(len(numbers)), "EINHORN_MASTER_PID="+strconv.Itoa(pid),
		"EINHORN_CHILD_INDEX="+strconv.Itoa(spec.Slot-1))
	if ack != "" {
		env = append(env, "EINHORN_SOCK_PATH="+ack)
	}
	byPID := canStep && staysItself(spec.Argv)
	switch {
	case spec.Server.Name == "puma" && !byPID:
		for i, one := range spec.Sockets {
			if one.Addr != "" {
				env = append(env, "PUMA_INHERIT_"+strconv.Itoa(i)+"="+numbers[i]+":"+one.Addr)
			}
		}
		return handover{env: env}
	case spec.Server.Name == "unicorn" && !byPID:
		return handover{env: append(env, "UNICORN_FD="+strings.Join(numbers, ","))}
	case spec.Server.Name == "nginx":
		env = append(env, "NGINX="+strings.Join(numbers, ";")+";")
	}
	env = append(env, "LISTEN_FDS="+strconv.Itoa(len(numbers)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	if canStep {
		env = append(env, "LISTEN_PID=")
	}
	return handover{env: env, step: canStep}
}

// staysItself tells whether a command becomes the server that it is known to be
// in its own process, so that LISTEN_PID is the server's: bundle exec does, a
// shell may or may not.
func staysItself(argv []string) bool {
	name := programName(argv[0])
	return !Wrapper(argv, "") || name == "bundle" || name == "bundler"
}

// steppable looks for what would fail only in the step, where the start has
// succeeded already: nobody could tell such an end from the program's own.
// runBy is the shell, for a script that names no interpreter.
func steppable(path, dir string) (runBy string, err error) {
	if err := executable(within(dir, path)); err != nil {
		return "", err
	}
	if isScript(within(dir, path)) {
		return shell, nil
	}
	return "", nil
}

// descriptors puts the sockets behind the three that every process has.
func (s *Spec) descriptors(files []uintptr) []uintptr {
	for _, one := range s.Sockets {
		files = append(files, uintptr(one.FD))
	}
	return files
}
