package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dyno/internal/control"
	"dyno/launcher"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// deadline is far longer than anything here takes.
const deadline = 20 * time.Second

// loop stands in for the supervisor's.
type loop struct {
	mutex sync.Mutex
	reply launcher.Reply
	stuck bool
	asked atomic.Int64 // requests that it has at this moment
	most  atomic.Int64 // … had at once
}

func (l *loop) Ask(ctx context.Context, _ launcher.Request) (launcher.Reply, error) {
	l.most.Store(max(l.most.Load(), l.asked.Add(1)))
	defer l.asked.Add(-1)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.stuck {
		<-ctx.Done()
		return launcher.Reply{}, ctx.Err()
	}
	return l.reply, nil
}

// fleet is a type with a process in every state, one of them old, and an odd name.
func fleet() launcher.Reply {
	now := time.Unix(1e9, 0).UTC()
	status := launcher.Status{PID: 1, Time: now, Began: now.Add(-time.Hour), Adopted: 7}
	for state := launcher.Down; state <= launcher.Killed; state++ {
		p := launcher.ProcessStatus{
			Name: "worker." + string(rune('1'+state)), Type: "worker", State: state, PID: 10 + int(state),
			Since: now.Add(-time.Minute), Ready: state == launcher.Ready, Memory: 1e6,
		}
		if state >= launcher.Quieting {
			p.Draining = now.Add(-2 * time.Hour)
		}
		if state == launcher.Waiting {
			p.Failed, p.NextStart, p.Ended = 3, now.Add(3*time.Second), "status 1"
		}
		status.Processes = append(status.Processes, p)
	}
	for range 2 { // of one slot
		old := status.Processes[launcher.Stopping]
		old.Name, old.Slot, old.Old = "worker.9 (old, pid 12)", 9, true
		status.Processes = append(status.Processes, old)
	}
	odd := launcher.TypeCounters{
		Type: "a\"\\\nb", Starts: 1 << 40,
		Quiet: launcher.Histogram{Bounds: []time.Duration{time.Second, time.Minute}, Sum: 90 * time.Second},
	}
	odd.Quiet.Counts[1], odd.Quiet.Counts[2] = 4, 1
	odd.Exits[launcher.ExitedOOM] = 2
	return launcher.Reply{
		Status: status, Counters: launcher.Counters{Types: []launcher.TypeCounters{odd}},
		Jobs: []launcher.Jobs{{Type: "worker", Running: 7, Slots: 10}},
	}
}

func ready() launcher.Reply {
	return launcher.Reply{Status: launcher.Status{PID: 1, Processes: []launcher.ProcessStatus{
		{Name: "worker.1", Type: "worker", State: launcher.Ready, Ready: true},
	}}}
}

func serve(t *testing.T, l *loop) *Server {
	t.Helper()
	s, err := Serve("127.0.0.1:0", l, Options{
		Budget: 10 * time.Second, Version: "1.2.3",
		Output: func() (int64, int64, bool) { return 5, 6, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *Server) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(deadline))
	return conn
}

// get sends a request's first line and returns the status and the body.
func (s *Server) get(t *testing.T, line string) (int, string, http.Header) {
	t.Helper()
	conn := s.dial(t)
	_, _ = io.WriteString(conn, line+" HTTP/1.1\r\nHost: x\r\n\r\n")
	method, _, _ := strings.Cut(line, " ")
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return r.StatusCode, string(body), r.Header
}

func TestPaths(t *testing.T) {
	quiet := ready()
	quiet.Status.Quiet = true
	for _, c := range []struct {
		reply  launcher.Reply
		line   string
		status int
		body   string
	}{
		{ready(), "GET /", 200, "ok\n"},
		{ready(), "GET /livez", 200, "ok\n"},
		{ready(), "HEAD /livez", 200, ""},
		{ready(), "GET /livez?verbose", 200, "[+]loop ok\nlivez check passed\n"},
		{ready(), "GET /readyz", 200, "ok\n"},
		{ready(), "GET /readyz?verbose", 200, "[+]launcher ok\n[+]worker.1 ok\nreadyz check passed\n"},
		{quiet, "GET /livez", 200, "ok\n"},
		{quiet, "GET /readyz", 503, "[-]launcher not ready: quiet\n[+]worker.1 ok\nreadyz check failed\n"},
		{quiet, "HEAD /readyz", 503, ""},
		{ready(), "POST /livez", 405, "/livez takes GET or HEAD\n"},
		{ready(), "DELETE /status", 405, "/status takes GET or HEAD\n"},
		{ready(), "GET /quiet", 404, "there is /livez, /readyz, /metrics and /status\n"},
		{ready(), "POST /quiet", 404, "there is /livez, /readyz, /metrics and /status\n"},
		{ready(), "GET /livez/x", 404, "there is /livez, /readyz, /metrics and /status\n"},
	} {
		s := serve(t, &loop{reply: c.reply})
		status, body, header := s.get(t, c.line)
		if status != c.status || body != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.line, status, body, c.status, c.body)
		}
		if (header.Get("Allow") != "") != (status == 405) {
			t.Errorf("%s: Allow is %q", c.line, header.Get("Allow"))
		}
	}
	s := serve(t, &loop{reply: fleet()})
	if _, body, _ := s.get(t, "GET /readyz"); !strings.Contains(body, "[-]worker.2 not ready: waiting, again in 3s, failed 3 times in a row, the last: status 1\n") || strings.Contains(body, "(old)") {
		t.Error(body)
	}
}

// A body changes nothing of the answer, and is not waited for.
func TestBodies(t *testing.T) {
	s := serve(t, &loop{reply: ready()})
	for request, want := range map[string]int{
		"POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b":                               405,
		"POST /quiet HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n":     404,
		"PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("x", 300000): 405,
		"PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n":         405,
		"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b":                                 200,
		"HEAD /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n":                          200,
	} {
		conn := s.dial(t)
		_, _ = io.WriteString(conn, request)
		r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: request[:strings.IndexByte(request, ' ')]})
		if err != nil {
			t.Errorf("%.60q: %v", request, err)
			continue
		}
		if _, err := io.ReadAll(r.Body); err != nil || r.StatusCode != want {
			t.Errorf("%.60q: %s, %v; want %d", request, r.Status, err, want)
		}
	}
}

func TestStatus(t *testing.T) {
	s := serve(t, &loop{reply: fleet()})
	_, body, _ := s.get(t, "GET /status")
	var got control.Status
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Budget != "10s" || len(got.Processes) != 9 {
		t.Errorf("%v: %s", err, body)
	}
}

// parse is what Prometheus reads in a text.
func parse(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return families
}

// TestMetrics: Prometheus' own parser reads all of it, and every name keeps the
// rules.
func TestMetrics(t *testing.T) {
	s := serve(t, &loop{reply: fleet()})
	status, body, header := s.get(t, "GET /metrics")
	if format := expfmt.ResponseFormat(header); status != 200 || format.FormatType() != expfmt.TypeTextPlain {
		t.Errorf("%d, %s", status, header.Get("Content-Type"))
	}
	families := parse(t, body)
	for name, f := range families {
		if f.GetHelp() == "" || !strings.HasPrefix(name, "launcher_") || (f.GetType() == dto.MetricType_COUNTER) != strings.HasSuffix(name, "_total") {
			t.Errorf("%s, a %s: %q", name, f.GetType(), f.GetHelp())
		}
		seen := map[string]bool{}
		for _, m := range f.Metric {
			var key bytes.Buffer
			for _, l := range m.Label {
				key.WriteString(l.GetName() + "=" + l.GetValue() + ",")
			}
			if seen[key.String()] {
				t.Errorf("%s{%s} is there twice", name, key.String())
			}
			seen[key.String()] = true
		}
	}
	for text, want := range map[string]string{
		"states":   `launcher_processes{type="worker",state="stopping"} 3`,
		"ready":    `launcher_processes_ready{type="worker"} 1`,
		"wanted":   `launcher_processes_wanted{type="worker"} 7`,
		"failed":   `launcher_failed_tries{process="worker.2",type="worker"} 3`,
		"draining": `launcher_draining_seconds{process="worker.9 (old)"} 7200`,
		"memory":   `launcher_memory_bytes{process="worker.9 (old)"} 2000000`,
		"large":    `launcher_starts_total{type="a\"\\\nb"} 1099511627776`,
		"oom":      `launcher_exits_total{type="a\"\\\nb",cause="oom"} 2`,
		"output":   `launcher_output_bytes_total{stream="stderr"} 6`,
		"orphans":  `launcher_orphans_reaped_total 7`,
		"jobs":     `launcher_jobs_running{type="worker"} 7`,
		"slots":    `launcher_jobs_slots{type="worker"} 10`,
		"version":  `launcher_build_info{version="1.2.3",`,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("%s: %s is not in\n%s", text, want, body)
		}
	}
	h := families["launcher_quiet_duration_seconds"].Metric[0]
	if got := h.Label[0].GetValue(); got != "a\"\\\nb" {
		t.Errorf("the type is %q", got)
	}
	if g := h.Histogram; g.GetSampleCount() != 5 || g.GetSampleSum() != 90 || len(g.Bucket) != 3 || g.Bucket[1].GetCumulativeCount() != 4 || g.Bucket[1].GetUpperBound() != 60 {
		t.Errorf("%+v", g)
	}
}

// TestStuckLoop: it is not live, told within the second that a probe waits; and
// the loop has one request, whatever is asked.
func TestStuckLoop(t *testing.T) {
	l := &loop{stuck: true}
	s := serve(t, l)
	var all sync.WaitGroup
	for range 20 {
		for _, line := range []string{"GET /livez", "GET /readyz", "GET /metrics", "GET /status"} {
			all.Go(func() {
				if status, body, _ := s.get(t, line); status != 503 {
					t.Errorf("%s: %d %s", line, status, body)
				}
			})
		}
	}
	all.Wait()
	if n := l.most.Load(); n != 1 {
		t.Errorf("the loop had %d requests at once", n)
	}
}

// TestEnded: while the last output is passed on it is live still, and not ready.
func TestEnded(t *testing.T) {
	s := serve(t, &loop{stuck: true})
	s.Ended()
	if status, body, _ := s.get(t, "GET /livez"); status != 200 {
		t.Errorf("livez: %d %s", status, body)
	}
	if status, body, _ := s.get(t, "GET /readyz"); status != 503 || !strings.Contains(body, "about to exit") {
		t.Errorf("readyz: %d %s", status, body)
	}
}

// TestSlowClients: many that dribble a request, or never read their answer,
// keep nobody out, and the loop hears nothing of those that never asked.
func TestSlowClients(t *testing.T) {
	l := &loop{reply: fleet()}
	s := serve(t, l)
	for i := range 4 * mostConnections {
		text := "GET /metrics HTTP/1.1\r\nHo"
		if i%4 == 0 {
			text += "st: x\r\n\r\n"
		}
		_, _ = io.WriteString(s.dial(t), text)
	}
	for range 5 {
		if status, body, _ := s.get(t, "GET /livez"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	s := serve(t, &loop{})
	if _, err := Serve(s.Address, &loop{}, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Error(err)
	}
}
