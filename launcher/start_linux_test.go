package launcher

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dyno/internal/notify"

	"golang.org/x/sys/unix"
)

func init() {
	childModes["describe"] = describe
	childModes["emfile"] = tryWithoutDescriptors
	childModes["look without descriptors"] = lookWithoutDescriptors
	childModes["closed"] = startWithNothingOpen
}

func TestChildStartsClean(t *testing.T) {
	// One that we were "given", beyond 2 and open across exec.
	given, err := unix.Dup(2)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(given)
	s := newSystem(t)
	if !slices.Contains(s.inherited, given) {
		t.Fatalf("inherited %v, want %d among them", s.inherited, given)
	}

	const script = `cat /proc/self/status >"$OUT/status"; ls /proc/self/fd >"$OUT/fds"; ulimit -n >"$OUT/limit"; umask >"$OUT/umask"`
	spec := sh(t, script)
	run(t, s, spec)

	for line := range strings.Lines(content(t, spec.out("status"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != "SigBlk" && name != "SigIgn" && name != "SigCgt" {
			continue
		}
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, sig := range append(resettable, unix.SIGTERM, unix.SIGINT, unix.SIGCHLD) {
			if SignalSet(mask).Has(sig.(unix.Signal)) {
				t.Errorf("%s has %v in a child", name, sig)
			}
		}
	}
	// 3 is the directory that ls reads.
	if got := strings.Fields(content(t, spec.out("fds"))); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("descriptors of a child: %v", got)
	}
	// os/exec gives children what we ourselves were given.
	for file, command := range map[string]string{"limit": "ulimit -n", "umask": "umask"} {
		want, err := exec.Command("sh", "-c", command).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := content(t, spec.out(file)); got != string(want) {
			t.Errorf("%s of a child: %q, ours %q", command, got, want)
		}
	}

	spec = sh(t, script)
	spec.InheritFiles = true
	run(t, s, spec)
	if got := strings.Fields(content(t, spec.out("fds"))); !slices.Contains(got, strconv.Itoa(given)) {
		t.Errorf("descriptors of a child that inherits %d: %v", given, got)
	}
}

// describe tells of the process that Start made.
func describe() {
	sid, _ := unix.Getsid(0)
	var deathSignal int32
	_ = prctlGetDeathSignal(&deathSignal)
	stdin := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}}
	ready, err := unix.Poll(stdin, 0)
	cwd, _ := os.Getwd()
	text := fmt.Sprintf("leader %v\ndeath %d\nstdin %d %v\nfoo %s\nnotify %v\ncwd %s\n",
		sid == os.Getpid(), deathSignal, ready, err, os.Getenv("FOO"), os.Getenv("NOTIFY_SOCKET") != "", cwd)
	if err := os.WriteFile(filepath.Join(os.Getenv("OUT"), "told"), []byte(text), 0o600); err != nil {
		os.Exit(1)
	}
}

func TestChildIsWhatItsSpecSays(t *testing.T) {
	s := newSystem(t)
	spec := mode(t, "describe")
	spec.Env = append(spec.Env, "FOO=bar")
	spec.Dir = t.TempDir()
	run(t, s, spec)
	want := "leader true\ndeath 15\nstdin 0 <nil>\nfoo bar\nnotify true\ncwd " + spec.Dir + "\n"
	if got := content(t, spec.out("told")); got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}

	spec.StopSignal = unix.SIGQUIT
	run(t, s, spec)
	if got := content(t, spec.out("told")); !strings.Contains(got, "death 3\n") {
		t.Errorf("with QUIT for a stop signal:\n%s", got)
	}
}

func TestIdleInputIsNotShared(t *testing.T) {
	s := newSystem(t)
	a, opened, err := s.stdin(&Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if !opened {
		t.Skip("no /proc to open it by")
	}
	defer unix.Close(a)
	b, _, err := s.stdin(&Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(b)
	if err := unix.SetNonblock(a, true); err != nil {
		t.Fatal(err)
	}
	flags, err := unix.FcntlInt(uintptr(b), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("one child's O_NONBLOCK reaches the other: flags %#x, %v", flags, err)
	}
}

func TestStartErrors(t *testing.T) {
	s := newSystem(t)
	dir := t.TempDir()
	write(t, dir+"/plain", "exit 0\n", 0o644)
	write(t, dir+"/nointerpreter", "#!/no/such/interpreter\n", 0o755)
	write(t, dir+"/garbage", "\x7fELF\x00\x00garbage", 0o755)
	for name, test := range map[string]struct {
		spec Spec
		want error
		says string
	}{
		"no command":        {Spec{}, unix.ENOENT, "no command"},
		"empty name":        {Spec{Argv: []string{""}}, unix.ENOENT, "no command"},
		"not in PATH":       {Spec{Argv: []string{"nosuch"}}, unix.ENOENT, "nosuch: not found in PATH"},
		"no such file":      {Spec{Argv: []string{dir + "/nosuch"}}, unix.ENOENT, dir + "/nosuch"},
		"not executable":    {Spec{Argv: []string{"plain"}}, unix.EACCES, "not executable"},
		"nor by its path":   {Spec{Argv: []string{dir + "/plain"}}, unix.EACCES, dir + "/plain"},
		"a directory":       {Spec{Argv: []string{dir}}, unix.EACCES, dir},
		"no interpreter":    {Spec{Argv: []string{"nointerpreter"}}, unix.ENOENT, "interpreter"},
		"no program":        {Spec{Argv: []string{"garbage"}}, unix.ENOEXEC, "garbage"},
		"no such directory": {Spec{Argv: []string{"/bin/sh"}, Dir: dir + "/gone"}, unix.ENOENT, "working directory " + dir + "/gone"},
		"no directory":      {Spec{Argv: []string{"/bin/sh"}, Dir: dir + "/plain"}, unix.ENOTDIR, "working directory"},
		"both missing":      {Spec{Argv: []string{"nosuch"}, Dir: dir + "/gone"}, unix.ENOENT, "working directory"},
		"NUL":               {Spec{Argv: []string{"/bin/sh", "a\x00b"}}, unix.EINVAL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.spec.Env = []string{"PATH=/no/such/place:" + dir}
			err := leaking(func() error {
				_, err := s.Start(&test.spec)
				return err
			})
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("got %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
	if pid, err := s.Peek(); err != unix.ECHILD {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}

func TestScriptWithoutInterpreter(t *testing.T) {
	s := newSystem(t)
	spec := sh(t, "")
	spec.Dir = t.TempDir()
	if err := os.Mkdir(spec.Dir+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, spec.Dir+"/bin/tool", `echo "$1,$2" >"$OUT/args"`+"\n", 0o755)
	spec.Env = append([]string{"PATH=bin:/bin:/usr/bin"}, spec.Env[1:]...) // relative to Dir
	spec.Argv = []string{"tool", "a b", "c"}
	run(t, s, spec)
	if got := content(t, spec.out("args")); got != "a b,c\n" {
		t.Errorf("arguments: %q", got)
	}
}

func TestStartWithoutDescriptorsLeaksNothing(t *testing.T) { expectOK(t, rerun(t, "emfile")) }

// leaking gives the error of fail, unless fail leaks a descriptor each time. The
// runtime opens one or two for moments of its own, so that only many times tell.
func leaking(fail func() error) error {
	const times = 10
	before := openFiles()
	var err error
	for range times {
		if err = fail(); err == nil {
			return nil
		}
	}
	if after := openFiles(); len(after) > len(before)+times/2 {
		return fmt.Errorf("descriptors before %v, after %v (%v)", before, after, err)
	}
	return err
}

// tryWithoutDescriptors starts a process with ever more descriptors to be had,
// until it works.
func tryWithoutDescriptors() {
	config, _ := channels()
	dir, err := notify.Open()
	check(err)
	defer dir.Close()
	config.Notify = dir
	s, err := NewKernel(config)
	check(err)
	spec := &Spec{Type: "t", Slot: 1, Argv: []string{"/bin/sh", "-c", "exit 0"}}
	highest := uint64(slices.Max(openFiles()))
	var limit unix.Rlimit
	check(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	for more := uint64(0); more < 32; more++ {
		var pid int
		err := leaking(func() (err error) {
			check(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: highest + 1 + more, Max: limit.Max}))
			pid, err = s.Start(spec)
			check(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
			return err
		})
		if err == nil {
			for got := 0; got != pid; {
				got, err = s.Peek()
				check(err)
			}
			_, _, err := s.Reap(pid)
			check(err)
			if more == 0 {
				check(errors.New("the limit had no effect"))
			}
			fmt.Println("ok")
			return
		}
		if !errors.Is(err, unix.EMFILE) {
			check(fmt.Errorf("with %d more: %w", more, err))
		}
	}
	check(errors.New("never enough descriptors"))
}

// TestLooksWithoutDescriptors: a stop has its quiet phase, and finds strays, though
// no descriptor is to be had.
func TestLooksWithoutDescriptors(t *testing.T) {
	expectOK(t, rerun(t, "look without descriptors"))
}

func lookWithoutDescriptors() {
	config, _ := channels()
	s, err := NewKernel(config)
	check(err)
	for {
		if _, err := unix.Dup(0); err == unix.EMFILE {
			break
		}
	}
	for range 3 {
		_, err = s.Look(os.Getpid())
		check(err)
		_, err = s.Children(0, 1)
		check(err)
		_, err = s.Children(0, 0)
		check(err)
		_, err = s.Title(os.Getpid())
		check(err)
	}
	fmt.Println("ok")
}

func TestNothingOpenAtStart(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `exec "$0" <&- >&- 2>&-`, executablePath(t))
	cmd.Env = append(os.Environ(), childEnv+"=closed", "OUT="+dir)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(content(t, dir+"/fds")); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("descriptors of the child: %v", got)
	}
	for n := range 3 {
		if got := strings.TrimSpace(content(t, fmt.Sprintf("%s/%d", dir, n))); got != "/dev/null" {
			t.Errorf("descriptor %d of the child: %s", n, got)
		}
	}
}

// startWithNothingOpen has a child tell of its descriptors.
func startWithNothingOpen() {
	config, _ := channels()
	s, err := NewKernel(config)
	check(err)
	pid, err := s.Start(&Spec{
		Type: "t", Slot: 1, InheritStdin: true,
		Env: os.Environ(),
		Argv: []string{"sh", "-c", `ls /proc/self/fd >"$OUT/fds"
			for n in 0 1 2; do is=$(readlink /proc/$$/fd/$n); echo "$is" >"$OUT/$n"; done`},
	})
	check(err)
	for got := 0; got != pid; {
		s.Wait(time.Now().Add(time.Second))
		got, err = s.Peek()
		check(err)
	}
	_, _, err = s.Reap(pid)
	check(err)
}

// TestManyStartsLeaveNothingOpen: what a process and a probe's command had is given
// back when they are reaped.
func TestManyStartsLeaveNothingOpen(t *testing.T) {
	s := newSystem(t)
	quick, probe := sh(t, "exit 0"), sh(t, "echo no; exit 1")
	probe.Mute = true
	run := func() {
		for _, spec := range []*Spec{quick, probe} {
			await(t, s, start(t, s, spec))
		}
	}
	run()
	before := openFiles()
	for range 100 {
		run()
	}
	if after := openFiles(); len(after) > len(before)+2 { // the runtime opens some for moments
		t.Errorf("descriptors before %v, after %v", before, after)
	}
	if n := len(s.children) + len(s.names) + len(s.sockets); n > 0 {
		t.Errorf("of processes that are gone it still has %d, %d and %d", len(s.children), len(s.names), len(s.sockets))
	}
}
