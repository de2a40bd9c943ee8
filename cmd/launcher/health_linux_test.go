package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dyno/internal/http1"

	"github.com/prometheus/common/expfmt"
)

// address is where the health endpoint listens, as the launcher says.
func (f fleet) address() string {
	f.t.Helper()
	const words = "health endpoint at "
	f.says(words)
	_, rest, _ := strings.Cut(f.text("err"), words)
	at, _, _ := strings.Cut(rest, "\n")
	return at
}

// get asks the health endpoint.
func get(at, path string) (status int, body string, err error) {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, string(text), err
}

// health wants a status of the health endpoint, and the words in its answer.
func (f fleet) health(at, path string, want int, words string) {
	f.t.Helper()
	status, body, err := get(at, path)
	if err != nil || status != want || !strings.Contains(body, words) {
		f.t.Errorf("%s: %d, want %d with %q: %v\n%s", path, status, want, words, err, body)
	}
}

// metric is the sum of all samples whose beginning is as given.
func (f fleet) metric(at, begin string) (sum float64) {
	f.t.Helper()
	_, body, err := get(at, "/metrics")
	var parser expfmt.TextParser
	if err == nil {
		_, err = parser.TextToMetricFamilies(strings.NewReader(body))
	}
	if err != nil {
		f.t.Fatalf("%v\n%s", err, body)
	}
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, begin) {
			fields := strings.Fields(line)
			n, _ := strconv.ParseFloat(fields[len(fields)-1], 64)
			sum += n
		}
	}
	return sum
}

// TestHealth: a life of two processes, as the endpoint and status --ready tell it.
func TestHealth(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=2", "--health", "127.0.0.1:0", "--log", "prefix")
	at := f.address()
	f.up("up.worker.1", "up.worker.2")
	f.eventually("all is ready", func() bool { status, _, _ := get(at, "/readyz"); return status == 200 })
	f.health(at, "/readyz?verbose", 200, "[+]worker.1 ok\n[+]worker.2 ok\nreadyz check passed")
	f.health(at, "/status", 200, `"name":"worker.1"`)
	f.wants(0, "ready", "status", "--ready")

	f.wants(0, "restarted", "restart", "worker.1", "--wait=30s")
	f.wants(0, "quieted", "quiet")
	f.health(at, "/readyz", 503, "[-]launcher not ready: quiet\n")
	f.health(at, "/livez", 200, "ok")
	f.health(at, "/", 200, "ok")
	f.wants(1, "launcher is not ready: quiet; worker.1 is not ready: quieting", "status", "--ready")
	for name, want := range map[string]float64{
		`launcher_processes{type="worker",state="quieting"}`: 2,
		`launcher_starts_total{type="worker"}`:               3,
		`launcher_exits_total{type="worker"`:                 1,
		`launcher_stop_duration_seconds_count`:               1,
		`launcher_quiet `:                                    1,
		`launcher_ready `:                                    0,
		`launcher_output_bytes_total`:                        0,
	} {
		if got := f.metric(at, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n := len(regexp.MustCompile(`(?m)^launcher_draining_seconds`).FindAllString(must(get(at, "/metrics")), -1)); n != 2 {
		t.Errorf("%d processes drain", n)
	}
	f.stop(0)
	if _, _, err := get(at, "/livez"); err == nil {
		t.Error("it answers still")
	}
	f.wants(1, "no launcher serves", "status", "--ready")
}

func must(_ int, body string, _ error) string { return body }

// TestHealthAddress: one that cannot be had is told before anything is started.
func TestHealthAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tr := newTrial(t, map[string]string{"Procfile": "worker: touch started; sleep 1000\n"})
	tr.start("run", "worker", "--health", l.Addr().String())
	tr.wait(2)
	if text := tr.text("err"); !strings.Contains(text, "--health: ") || !strings.Contains(text, "in use") || tr.exists("started") {
		t.Error(text)
	}
}

// TestHealthClients: those that dribble, say nothing or never read keep nobody
// out, and no stop is late for them.
func TestHealthClients(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=1", "--health", "127.0.0.1:0")
	at := f.address()
	f.up("up.worker.1")
	for i := range 200 {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		switch i % 3 {
		case 0:
			_, _ = io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		case 1:
			_, _ = io.WriteString(conn, "GET /metr")
		}
	}
	f.health(at, "/livez", 200, "ok")
	f.wants(0, "worker.1", "status")
	f.stop(0)
}

// floodFor is how long TestStatusFlood asks; FLOOD=10s is what issue 4 measures.
func floodFor(t *testing.T) time.Duration {
	if text := os.Getenv("FLOOD"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return time.Second
}

// TestStatusFlood: 1,000 calls a second while processes crash: no call fails,
// and no exit is missed. How long the loop's turns took is reported.
func TestStatusFlood(t *testing.T) {
	const perSecond = 1000
	tr := newTrial(t, map[string]string{"Procfile": "worker: sh crash.sh\n", "crash.sh": "echo $$ >>starts; exit 1\n"})
	f := fleet{tr}
	f.start("run", "worker=50", "--socket", "s", "--health", "127.0.0.1:0")
	at := f.address()
	var all sync.WaitGroup
	var mutex sync.Mutex
	calls, failed, slowest := 0, 0, time.Duration(0)
	begin, limit := time.Now(), floodFor(t)
	for ; time.Since(begin) < limit; calls++ {
		time.Sleep(time.Until(begin.Add(time.Duration(calls) * time.Second / perSecond)))
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			asked := time.Now()
			status, _, err := http1.Ask(ctx, f.path("s"), "GET", "/status")
			for status == 503 && ctx.Err() == nil { // as the commands do
				time.Sleep(100 * time.Millisecond)
				status, _, err = http1.Ask(ctx, f.path("s"), "GET", "/status")
			}
			if err == nil && status != 200 {
				err = fmt.Errorf("status %d", status)
			}
			mutex.Lock()
			defer mutex.Unlock()
			slowest = max(slowest, time.Since(asked))
			if err != nil {
				failed++
				t.Error(err)
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	f.wants(0, "quieted", "quiet")
	f.eventually("all are down", func() bool { return f.metric(at, `launcher_processes{type="worker",state="down"}`) == 50 })
	starts, exits := f.metric(at, "launcher_starts_total"), f.metric(at, "launcher_exits_total")
	if lines := strings.Count(tr.text("starts"), "\n"); starts != exits || int(starts) != lines || lines < 100 {
		t.Errorf("%d processes ran, %v starts and %v exits are counted", lines, starts, exits)
	}
	turns := f.metric(at, "launcher_loop_turn_seconds_count")
	for _, within := range []string{"0.001", "0.005", "0.01", "0.05"} {
		n := f.metric(at, `launcher_loop_turn_seconds_bucket{le="`+within+`"}`)
		t.Logf("%.2f %% of %v turns took %s s at most", 100*n/turns, turns, within)
	}
	f.stop(0)
	t.Logf("%d calls in %s, %d failed, the slowest took %s; %v crashes", calls, took, failed, slowest, exits)
}
