package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestThousand(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Max < 4096 {
		t.Skipf("the limit of open files is %d (%v)", limit.Max, err)
	}
	tr := openTrial(t, "w: sleep 1000\n")
	tr.start("run", "w=1000", "--budget", "25s")
	tr.eventually("1000 workers", func() bool { return len(tr.workers()) == 1000 })
	tr.rests()
	begin := time.Now()
	tr.signal(syscall.SIGTERM)
	tr.wait(0)
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("the stop took %s\n%.4000s", took, tr.text("err"))
	}
}

func TestNoDescriptors(t *testing.T) {
	tr := openTrial(t, simple)
	tr.after("ulimit -n 40", "run", "w=9", "--log", "prefix")
	tr.says("the limit of open files")
	tr.prints("| up", 4)
	tr.rests()
	workers := tr.workers()
	up := strings.Count(tr.text("out"), "| up")
	if err := syscall.Kill(workers[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	tr.prints("| up", up+1) // its place is taken
	tr.stop(0)
}

// exhaust wants that a launcher of 30 workers, of which limit lets only some
// start, tells that, waits, and stops in time; that free brings all of them up,
// and close, after which nothing at all can be started, costs only what ends.
func exhaust(tr *trial, limit func(most string)) {
	tr.t.Helper()
	tr.says("the limit of processes")
	tr.eventually("some workers", func() bool { return len(tr.workers()) >= 3 })
	tr.rests()
	limit("1000")
	tr.eventually("30 workers", func() bool { return len(tr.workers()) == 30 })
	limit("1")
	told := strings.Count(tr.text("err"), "the limit of processes")
	if err := syscall.Kill(tr.workers()[0], syscall.SIGKILL); err != nil {
		tr.t.Fatal(err)
	}
	tr.eventually("a restart that fails", func() bool { return strings.Count(tr.text("err"), "the limit of processes") > told })
	tr.rests()
	limit("1000")
	tr.eventually("30 workers again", func() bool { return len(tr.workers()) == 30 })
	limit("1")
	tr.stop(0)
}

func TestNoPids(t *testing.T) {
	t.Parallel()
	needRoot(t)
	t.Run("cgroup", func(t *testing.T) {
		dir := newCgroup(t, "pids", "pids.max")
		limit := func(most string) { writeCgroup(t, filepath.Join(dir, "pids.max"), most) }
		limit("25")
		tr := openTrial(t, "w: sleep 1000\n")
		tr.after("echo $$ >"+dir+"/cgroup.procs", "run", "w=30")
		exhaust(tr, limit)
	})
	t.Run("sockets", func(t *testing.T) { // each goes by way of the step that sets LISTEN_PID, which has threads
		dir := newCgroup(t, "pids", "pids.max")
		limit := func(most string) { writeCgroup(t, filepath.Join(dir, "pids.max"), most) }
		limit("25")
		tr := openTrial(t, "w: sleep 1000\n")
		tr.after("echo $$ >"+dir+"/cgroup.procs", "run", "w=30", "--listen", "unix:"+tr.path("sock"))
		exhaust(tr, limit)
		for _, word := range []string{"runtime", "goroutine", "/proc/self/exe", "status 2"} {
			if strings.Contains(tr.text("err"), word) {
				t.Errorf("it speaks of %q:\n%.4000s", word, tr.text("err"))
			}
		}
	})
	t.Run("ulimit -u", func(t *testing.T) {
		needProgram(t, "setpriv", "prlimit")
		const most = 100
		user := uint32(50000 + os.Getpid()%10000) // the limit counts all of a user's, those of tests beside this one too
		var crowd []*exec.Cmd                     // others of that user
		limit := func(room string) {
			left, err := strconv.Atoi(room)
			if err != nil {
				t.Fatal(err)
			}
			for len(crowd) > max(0, most-left) {
				last := crowd[len(crowd)-1]
				_ = last.Process.Kill()
				_ = last.Wait()
				crowd = crowd[:len(crowd)-1]
			}
			for len(crowd) < most-left {
				one := exec.Command("sleep", "1000")
				one.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
				if err := one.Start(); err != nil {
					t.Fatal(err)
				}
				crowd = append(crowd, one)
			}
		}
		t.Cleanup(func() { limit("1000") })
		limit("25")
		tr := openTrial(t, "w: sleep 1000\n")
		tr.after(fmt.Sprintf(`exec setpriv --reuid %d --regid %d --clear-groups prlimit --nproc=%d "$0" "$@"`, user, user, most), "run", "w=30")
		exhaust(tr, limit)
	})
}

// newCgroup makes a group of its own below that of the tests, v1 or v2, or skips.
func newCgroup(t *testing.T, controller, file string) string {
	t.Helper()
	var why []string
	for _, base := range []string{"/sys/fs/cgroup/" + controller, "/sys/fs/cgroup"} {
		dir := filepath.Join(base, fmt.Sprintf("launcher-test-%d-%s", os.Getpid(), filepath.Base(t.TempDir())))
		if err := os.Mkdir(dir, 0o755); err != nil {
			why = append(why, err.Error())
			continue
		}
		t.Cleanup(func() {
			within(patience, func() bool { return os.Remove(dir) == nil })
		})
		_, err := os.Stat(filepath.Join(dir, file))
		if err == nil {
			probe := exec.Command("sh", "-c", "echo $$ >"+dir+"/cgroup.procs")
			err = probe.Run()
		}
		if err == nil {
			return dir
		}
		why = append(why, err.Error())
	}
	t.Skipf("no cgroup of its own for %s: %s", controller, strings.Join(why, "; "))
	return ""
}

func writeCgroup(t *testing.T, path, value string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newMemory makes a cgroup that may use so much, and no swap instead.
func newMemory(t *testing.T, limit string) string {
	t.Helper()
	file := "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err != nil {
		file = "memory.max"
	}
	dir := newCgroup(t, "memory", file)
	writeCgroup(t, filepath.Join(dir, file), limit)
	for name, most := range map[string]string{"memory.memsw.limit_in_bytes": limit, "memory.swap.max": "0"} {
		_ = os.WriteFile(filepath.Join(dir, name), []byte(most), 0o644) // where there is swap
	}
	return dir
}

// TestMemoryGuard: a worker that leaks is replaced before the kernel kills, and
// files that were read do not count.
func TestMemoryGuard(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := newMemory(t, "160M")
	tr := openTrial(t, "leaks: env "+childVariable+`=leaks "$TEST_BINARY"`+"\nreads: sh -c 'head -c 100M /dev/zero >file; cat file >/dev/null; echo up; exec sleep 1000'\n")
	tr.after("echo $$ >"+dir+"/cgroup.procs", "run", "leaks", "reads", "--memory-guard", "50%")
	tr.prints("up", 1)
	tr.says("leaks.1 is replaced: the container has used ")
	tr.says("leaks.1 waiting -> starting, started")
	tr.stop(0)
	for _, file := range []string{"memory.events", "memory.oom_control"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil && !strings.Contains(string(text), "oom_kill 0\n") {
			t.Errorf("%s:\n%s", file, text)
		}
	}
	if text := tr.text("err"); strings.Contains(text, "reads.1 is replaced") {
		t.Errorf("the page cache counted:\n%s", text)
	}
}

func TestNoMemory(t *testing.T) {
	needRoot(t)
	needProgram(t, "tail", "head")
	dir := newMemory(t, "64M")
	// tail keeps what has no newline.
	tr := openTrial(t, simple+"eats: sh -c 'exec tail -n 1 </dev/zero'\n")
	tr.after("echo $$ >"+dir+"/cgroup.procs", "run", "w=2", "eats=1")
	tr.says("eats.1 starting -> waiting")
	tr.eventually("two such ends", func() bool { return strings.Count(tr.text("err"), "eats.1 starting -> waiting") >= 2 })
	tr.prints("up", 2)
	tr.stop(0)
	if text := tr.text("err"); !strings.Contains(text, "OOM killer") {
		t.Errorf("not named:\n%s", text)
	}
}
