package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startRedis runs a redis-server for one test, on a socket in a directory of its
// own: it is not the launcher's, and outlives it.
func (d *deployment) startRedis(t *testing.T) *redis {
	t.Helper()
	dir := t.TempDir()
	d.redis = filepath.Join(d.dir, "redis.sock")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", d.redis, "--dir", dir, "--save", "", "--appendonly", "no")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	d.env = append(d.env, "REDIS_SOCKET="+d.redis, "REDIS_URL=unix://"+d.redis)
	var conn net.Conn
	var err error
	if !within(time.Minute, func() bool { conn, err = net.Dial("unix", d.redis); return err == nil }) {
		t.Fatalf("redis-server: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &redis{conn: conn, in: bufio.NewReader(conn)}
	r.must(t, "PING")
	return r
}

// redis is a connection that speaks as much of Redis's protocol as these tests need.
type redis struct {
	conn net.Conn
	in   *bufio.Reader
}

// do sends a command: the reply's strings, one for anything but an array.
func (r *redis) do(args ...string) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	r.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(r.conn, b.String()); err != nil {
		return nil, err
	}
	return r.reply()
}

func (r *redis) reply() ([]string, error) {
	line, err := r.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '-':
		return nil, errors.New(line[1:])
	case '$':
		if n < 0 {
			return nil, nil
		}
		text := make([]byte, n+2)
		_, err := io.ReadFull(r.in, text)
		return []string{string(text[:n])}, err
	case '*':
		var out []string
		for range max(n, 0) {
			one, err := r.reply()
			if err != nil {
				return nil, err
			}
			out = append(out, one...)
		}
		return out, nil
	}
	return []string{line[1:]}, nil
}

func (r *redis) must(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := r.do(args...)
	if err != nil {
		t.Fatalf("redis %s: %v", args[0], err)
	}
	return out
}

// list is a Redis list as it is; empty where the question fails.
func (r *redis) list(name string) []string {
	out, _ := r.do("LRANGE", name, "0", "-1")
	return out
}

// sidekiqPush queues a job as Sidekiq's client does.
func (r *redis) sidekiqPush(t *testing.T, id string, seconds float64) {
	t.Helper()
	now := float64(time.Now().UnixMicro()) / 1e6
	r.must(t, "SADD", "queues", "default")
	r.must(t, "LPUSH", "queue:default", fmt.Sprintf(
		`{"class":"Job","args":[%q,%g],"retry":0,"queue":"default","jid":"%024s","created_at":%f,"enqueued_at":%f}`,
		id, seconds, id, now, now))
}

// sidekiqJob is a job of three seconds.
func sidekiqJob(t *testing.T, d *deployment) work {
	r := d.startRedis(t)
	w := queued(r)
	w.begin = func(t *testing.T) { r.sidekiqPush(t, "one", 3) }
	return w
}

// pythonJob is a job of three seconds that a script sends, in whatever form the
// queue has it.
func pythonJob(script string) func(*testing.T, *deployment) work {
	return func(t *testing.T, d *deployment) work {
		r := d.startRedis(t)
		w := queued(r)
		w.begin = func(t *testing.T) {
			t.Helper()
			cmd := exec.Command("/usr/bin/python3", script, "one", "3")
			cmd.Dir, cmd.Env = d.dir, d.env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", script, err, out)
			}
		}
		return w
	}
}

// queued is the job "one", which the app notes in Redis.
func queued(r *redis) work {
	return work{
		begun: func() (bool, string) {
			return len(r.list("started")) > 0, "nothing in the list of started jobs"
		},
		finished: func(t *testing.T) {
			t.Helper()
			if started, done := r.list("started"), r.list("done"); len(started) != 1 || len(done) != 1 {
				t.Errorf("the job was started %d times and done %d times", len(started), len(done))
			}
		},
	}
}
