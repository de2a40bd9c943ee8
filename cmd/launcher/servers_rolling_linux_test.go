package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dyno/internal/control"

	"golang.org/x/sys/unix"
)

// rolled is a server of which no request may fail while it is rolled under load
// (issue 5, FACTS 4).
type rolled struct {
	name, app, typ  string
	program, broken string   // a file of the app, and what keeps it from being loaded
	args            []string // for the launcher
	wrk             []string // for wrk: what the server needs not to close connections itself
	binary          string   // "": the launcher as it is
	handed          bool     // the socket comes as from a .socket unit, not by --listen
}

var oneRequest = []string{"-H", "Connection: close"}

// rolledServers are the four of issue 5. Unicorn closes each connection by itself;
// its master lives on when no worker can load the program, so that 10 s up would
// prove nothing.
var rolledServers = []rolled{
	{name: "puma", app: "puma", typ: "rolled", program: "config.ru", broken: "sleep 1; raise 'no'"},
	{
		name: "unicorn", app: "unicorn", typ: "rolled", program: "config.ru", broken: "raise 'no'",
		args: []string{"--ready", "notify", "--ready-timeout", "8s"},
	},
	{name: "gunicorn", app: "gunicorn", typ: "rolled", wrk: oneRequest, program: "app.py", broken: "import time; time.sleep(1); raise Exception('no')"},
	{name: "node", app: "node", typ: "web", wrk: oneRequest, program: "server.js", broken: "throw 'no';"},
}

// webFleet is a launcher with four processes of one of them, all ready.
type webFleet struct {
	*launched
	address, typ string
}

// serve starts the launcher.
func (r rolled) serve(t *testing.T, args ...string) *webFleet {
	t.Helper()
	d := deploy(t, r.app, r.app, "wrk")
	address, port := freeAddress(t)
	w := &webFleet{address: address, typ: r.typ}
	d.env = append(d.env, "PORT="+port)
	args = append([]string{"run", r.typ + "=4", "-f", "Procfile", "--socket", d.control()}, slices.Concat(r.args, args)...)
	if r.handed {
		w.launched = d.launchHanded(t, w.address, args...)
	} else {
		args = append(args, "--listen", "tcp://127.0.0.1:$PORT")
		w.launched = d.run(t, exec.Command(cmp.Or(r.binary, launcherBinary), args...))
	}
	w.poll(t, time.Minute, "four are ready", func() (bool, string) { return w.ready() == 4, "" })
	return w
}

// launchHanded starts the launcher as systemd does for a .socket unit.
func (d *deployment) launchHanded(t *testing.T, address string, args ...string) *launched {
	t.Helper()
	words := append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh", launcherBinary}, args...)
	cmd := exec.Command("sh", words...)
	cmd.ExtraFiles = []*os.File{listening(t, address)}
	return d.run(t, cmd)
}

// said counts the changes of state that the launcher has told of its processes.
func (w *webFleet) said(change string) int {
	return len(regexp.MustCompile(`launcher: `+w.typ+`\.\d+ `+change).FindAllString(w.log.String(), -1))
}

func (w *webFleet) started() int { return w.said("waiting -> starting") }
func (w *webFleet) ready() int   { return w.said("starting -> ready") }
func (w *webFleet) gone() int    { return w.said("stopping -> down") }

// connections is how many wrk has, with one request at a time.
const connections = 16

// load is wrk at work.
type load struct {
	cmd  *exec.Cmd
	text bytes.Buffer
}

func (w *webFleet) load(t *testing.T, args ...string) *load {
	t.Helper()
	l := &load{}
	args = append([]string{"-t1", "-c" + strconv.Itoa(connections), "-d10m", "--timeout", "10s", "--latency"}, args...)
	l.cmd = exec.Command("wrk", append(args, "http://"+w.address+"/")...)
	l.cmd.Stdout, l.cmd.Stderr = &l.text, &l.text
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	return l
}

// figures are what wrk counted: failed is every request that was refused, reset,
// cut short, answered with an error, or too late. Of one that never gets an answer
// wrk says nothing: the process that holds it is gone before the end, and closes it.
type figures struct {
	requests, failed, refused int // refused: of those that failed
	p50, p99                  time.Duration
}

// stop ends it as Ctrl-C does.
func (l *load) stop(t *testing.T) figures {
	t.Helper()
	_ = l.cmd.Process.Signal(unix.SIGINT)
	if err := l.cmd.Wait(); err != nil {
		t.Fatalf("wrk: %v\n%s", err, &l.text)
	}
	var f figures
	number := func(pattern string) (sum int) {
		for _, words := range regexp.MustCompile(pattern).FindAllStringSubmatch(l.text.String(), -1) {
			for _, digits := range words[1:] {
				n, _ := strconv.Atoi(digits)
				sum += n
			}
		}
		return sum
	}
	percentile := func(n string) time.Duration {
		words := regexp.MustCompile(` ` + n + `% +(\S+)`).FindStringSubmatch(l.text.String())
		if words == nil {
			t.Fatalf("wrk tells no latency:\n%s", &l.text)
		}
		d, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	f.requests = number(`(\d+) requests in`)
	f.refused = number(`connect (\d+)`)
	f.failed = number(`connect (\d+), read (\d+), write (\d+), timeout (\d+)`) + number(`Non-2xx or 3xx responses: (\d+)`)
	f.p50, f.p99 = percentile("50"), percentile("99")
	if f.failed > 0 {
		t.Logf("%s", &l.text)
	}
	return f
}

// TestServersRolled: all four processes are replaced under load, and no request
// fails.
func TestServersRolled(t *testing.T) {
	rows := slices.Clone(rolledServers)
	for _, r := range rolledServers[:2] {
		r.name, r.handed = r.name+" with systemd's socket", true
		rows = append(rows, r)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			w := r.serve(t)
			load := w.load(t, r.wrk...)
			w.signal(t, unix.SIGHUP)
			w.poll(t, time.Minute, "four are replaced", func() (bool, string) {
				return w.ready() == 8 && w.gone() == 4, fmt.Sprint(w.ready(), w.gone())
			})
			w.fine(t, load.stop(t))
			w.stop(t, 15*time.Second)
		})
	}
}

// fine wants no failed request, of some.
func (w *webFleet) fine(t *testing.T, f figures) {
	t.Helper()
	if f.failed > 0 || f.requests < 100 {
		t.Errorf("%d of %d requests failed", f.failed, f.requests)
	}
}

// TestServersRolledAtLength is issue 5's measure, for as long as ROLLING says (make
// rolling): the same load with no restart, with a new process each second, and, to
// tell what of that is the launcher's, with no restart while the same program boots
// each second beside the launcher, for nobody.
func TestServersRolledAtLength(t *testing.T) {
	text := os.Getenv("ROLLING")
	if text == "" {
		t.Skip("make rolling does")
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	hasty := hastyLauncher(t)
	for _, r := range rolledServers {
		t.Run(r.name, func(t *testing.T) {
			r.binary = hasty
			w := r.serve(t, "--max-draining", "100")
			beside := w.beside(t)
			for _, each := range []struct {
				name string
				do   func(n int) bool
			}{
				{"no restart", func(int) bool { return true }},
				{"booted beside", func(int) bool { beside.boot(t); return true }},
				{"one a second", func(n int) bool {
					out, status := w.d.client(t, "restart", fmt.Sprintf("%s.%d", r.typ, n%4+1))
					if status != 0 && !strings.Contains(out, "under way") {
						t.Errorf("restart: %s", out)
					}
					return status == 0
				}},
			} {
				w.measure(t, r, length, each.name, each.do)
				beside.endLast()
			}
			w.stop(t, 15*time.Second)
		})
	}
}

// measure loads for some time, does something in each second of it, as soon as that
// can be done, and prints the figures.
func (w *webFleet) measure(t *testing.T, r rolled, length time.Duration, name string, do func(n int) bool) {
	t.Helper()
	before := w.ready()
	load := w.load(t, r.wrk...)
	for begin, n, next := time.Now(), 0, time.Now(); time.Since(begin) < length; {
		time.Sleep(time.Until(next))
		if do(n) {
			n++
			next = next.Add(time.Second)
		} else {
			next = time.Now().Add(100 * time.Millisecond)
		}
	}
	w.poll(t, time.Minute, "all old ones are gone", func() (bool, string) {
		return w.gone() == w.started()-4 && w.ready() == w.started(), fmt.Sprint(w.started(), w.ready(), w.gone())
	})
	f := load.stop(t)
	fmt.Printf("%-9s %-13s %3d new processes, %7d requests, %d failed, p50 %s, p99 %s\n",
		r.name, name, w.ready()-before, f.requests, f.failed, f.p50, f.p99)
	w.fine(t, f)
}

// beside is the program of the Procfile's line, booted again and again with no
// launcher, on a port of its own.
type beside struct {
	line   string
	d      *deployment
	notify *net.UnixConn
	last   *exec.Cmd
}

func (w *webFleet) beside(t *testing.T) *beside {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.d.dir, "Procfile"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^` + w.typ + `: *(.*)$`).FindSubmatch(text)
	if line == nil {
		t.Fatalf("the Procfile has no %s", w.typ)
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(w.d.dir, "beside.notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, notify) // until it is closed
	b := &beside{line: string(line[1]), d: w.d, notify: notify}
	t.Cleanup(b.end)
	return b
}

// boot starts one, and ends the one before.
func (b *beside) boot(t *testing.T) {
	t.Helper()
	b.endLast()
	address, port := freeAddress(t)
	b.last = exec.Command("sh", "-c", "exec "+b.line)
	b.last.Dir = b.d.dir
	b.last.Env = append(slices.Clone(b.d.env), "PORT="+port, "STOP_TIMEOUT=1", "GUNICORN_CMD_ARGS=-b "+address,
		"SOCKET="+filepath.Join(b.d.dir, "beside-"+port+".sock"), "NOTIFY_SOCKET="+b.notify.LocalAddr().String())
	b.last.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := b.last.Start(); err != nil {
		t.Fatal(err)
	}
}

func (b *beside) endLast() {
	if b.last == nil {
		return
	}
	_ = unix.Kill(-b.last.Process.Pid, unix.SIGKILL)
	_ = b.last.Wait()
	b.last = nil
}

func (b *beside) end() {
	b.endLast()
	_ = b.notify.Close()
}

// hastyLauncher builds a launcher whose restarts are over when the last process is
// replaced: the 10 s in which new ones prove themselves would keep the next restart
// waiting, and one a second is what is measured.
func hastyLauncher(t *testing.T) string {
	t.Helper()
	const proving = "const Proving = 10 * time.Second"
	path, err := filepath.Abs("../../preboot/preboot.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(proving)) {
		t.Fatalf("%s holds no %q", path, proving)
	}
	dir := t.TempDir()
	hasty, overlay, binary := filepath.Join(dir, "preboot.go"), filepath.Join(dir, "overlay"), filepath.Join(dir, "launcher")
	text = bytes.Replace(text, []byte(proving), []byte("const Proving time.Duration = 0"), 1)
	replace, _ := json.Marshal(map[string]map[string]string{"Replace": {path: hasty}})
	if err := errors.Join(os.WriteFile(hasty, text, 0o644), os.WriteFile(overlay, replace, 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := goBuild("-overlay", overlay, "-o", binary, "."); err != nil {
		t.Fatal(err)
	}
	return binary
}

// TestServersRolledInTrouble: under load, a deploy that does not boot, a burst of
// HUPs, and KILL to an old and to a new process in the middle of a restart cost no
// more than the requests in the hands of who was killed. TERM in the middle of one
// lets all that are in anybody's hands be answered.
func TestServersRolledInTrouble(t *testing.T) {
	for _, r := range rolledServers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			w := r.serve(t)
			load := w.load(t, r.wrk...)
			w.deployBadly(t, r)
			w.fine(t, load.stop(t))

			load = w.load(t, r.wrk...)
			w.killOneOld(t)
			w.killOneNew(t)
			if f := load.stop(t); f.refused > 0 || f.failed > 2*connections {
				t.Errorf("%d requests failed and %d were refused, although two processes were killed and %d requests at once were sent", f.failed, f.refused, connections)
			}
			w.endMidway(t)
		})
	}
}

// serving are the pids of those that have the slots, once four are ready and no
// old one is left.
func (w *webFleet) serving(t *testing.T) (pids []int) {
	t.Helper()
	w.poll(t, time.Minute, "four serve, and no old one is left", func() (bool, string) {
		out, _ := w.d.client(t, "status", "--json")
		var status control.Status
		if err := json.Unmarshal([]byte(out), &status); err != nil {
			return false, err.Error() + " " + out
		}
		pids = serving(status)
		return len(pids) == 4, out
	})
	return pids
}

// edit changes a file of the app.
func (w *webFleet) edit(t *testing.T, name string, by func(string) string) (undo func()) {
	t.Helper()
	path := filepath.Join(w.d.dir, name)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(by(string(good)))
	return func() { write(string(good)) }
}

// deployBadly restarts with what does not boot, and with a program that cannot be
// loaded: no process is given up for it.
func (w *webFleet) deployBadly(t *testing.T, r rolled) {
	t.Helper()
	before := w.serving(t)
	restart := func(what string) {
		t.Helper()
		if out, status := w.d.client(t, "restart", "--wait=30s"); status != 1 || !strings.Contains(out, "aborted") {
			t.Errorf("restart with %s: status %d, %s", what, status, out)
		}
	}
	for _, bad := range []string{"sleep 0.2; exit 3", "./no-such-server"} {
		undo := w.edit(t, "Procfile", func(string) string { return w.typ + ": " + bad + "\n" })
		restart(bad)
		undo()
	}
	undo := w.edit(t, r.program, func(good string) string { return r.broken + "\n" + good })
	restart(r.broken)
	undo()
	if after := w.serving(t); !slices.Equal(before, after) {
		t.Errorf("bad deploys have replaced %v by %v", before, after)
	}
}

// killOneOld restarts by twenty HUPs, and kills the old process that would be
// replaced last: it is started again, and the restart goes on.
func (w *webFleet) killOneOld(t *testing.T) {
	t.Helper()
	before, ready := w.serving(t), w.ready()
	for range 20 {
		w.signal(t, unix.SIGHUP)
	}
	w.poll(t, time.Minute, "one is replaced", func() (bool, string) { return w.ready() > ready, "" })
	for range 20 {
		w.signal(t, unix.SIGHUP)
	}
	_ = unix.Kill(before[3], unix.SIGKILL)
	w.says(t, "restart: all processes are replaced", 1)
	after := w.serving(t)
	for i, pid := range after {
		if slices.Contains(before, pid) {
			t.Errorf("%d was not replaced: %v are now %v", i, before, after)
		}
	}
	if n := strings.Count(w.log.String(), "restart: 4 processes"); n != 4 { // three were bad
		t.Errorf("%d restarts", n)
	}
}

// killOneNew kills a process that proves itself: all are replaced back.
func (w *webFleet) killOneNew(t *testing.T) {
	t.Helper()
	before := w.serving(t)
	_ = unix.Kill(before[1], unix.SIGKILL)
	w.says(t, "restart: all processes are replaced back", 1)
	for i, pid := range w.serving(t) {
		if slices.Contains(before, pid) {
			t.Errorf("%d was not replaced back", i)
		}
	}
}

// endMidway sends TERM in the middle of a restart, with slow requests in hand.
func (w *webFleet) endMidway(t *testing.T) {
	t.Helper()
	const slow = 3 // a process of some servers has one at a time, and one is still to start
	answers := make(chan error, slow)
	for range slow {
		go func() { answers <- getPage("tcp", w.address, "/slow", time.Minute) }()
	}
	w.poll(t, time.Minute, "all slow requests have begun", func() (bool, string) {
		begun, _ := os.ReadFile(filepath.Join(w.d.dir, "started"))
		return len(begun) == slow, string(begun)
	})
	ready, started := w.ready(), w.started()
	w.signal(t, unix.SIGHUP)
	w.poll(t, time.Minute, "one is replaced, and the next is booting", func() (bool, string) {
		return w.ready() > ready && w.started() > started+1, ""
	})
	w.stop(t, 15*time.Second)
	for range slow {
		if err := <-answers; err != nil {
			t.Errorf("a request in hand was lost: %v", err)
		}
	}
}
