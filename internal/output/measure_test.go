package output

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// role is the environment variable that makes the test binary something else.
const role = "OUTPUT_TEST_ROLE"

func TestMain(m *testing.M) {
	// As in the launcher: EPIPE is to be an error and not the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	switch os.Getenv(role) {
	case "writer":
		writeLines(os.Getenv("OUTPUT_MEASURE"))
	case "copier":
		copyChild()
	default:
		os.Exit(m.Run())
	}
}

// writeLines writes so many MiB of 100-byte lines in large writes.
func writeLines(megabytes string) {
	n, _ := strconv.Atoi(megabytes)
	block := []byte(strings.Repeat(strings.Repeat("x", 99)+"\n", 1300))
	for left := n << 20; left > 0; left -= len(block) {
		if _, err := os.Stdout.Write(block[:min(len(block), left)]); err != nil {
			return
		}
	}
}

// copyChild passes on what a writer says, as the launcher would.
func copyChild() {
	o, err := New(Config{Mode: Prefix, Stdout: 1, Stderr: 2, Width: 8})
	if err != nil {
		panic(err)
	}
	s, err := o.Open("worker.1")
	if err != nil {
		panic(err)
	}
	stdout, stderr := s.Child()
	// The environment is made anew: of a name given twice Go takes the first, and
	// this would start itself again and again.
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args[:1], &syscall.ProcAttr{
		Env:   []string{role + "=writer", "OUTPUT_MEASURE=" + os.Getenv("OUTPUT_MEASURE")},
		Files: []uintptr{0, uintptr(stdout), uintptr(stderr)},
	})
	if err != nil {
		panic(err)
	}
	s.Started()
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	s.Ended()
	o.Close(time.Now().Add(time.Minute))
}

// TestAgainstCat measures prefixed output of one process against the same bytes
// through cat; it says and asserts nothing unless OUTPUT_MEASURE has a number of
// MiB.
func TestAgainstCat(t *testing.T) {
	megabytes := os.Getenv("OUTPUT_MEASURE")
	if megabytes == "" {
		t.Skip("OUTPUT_MEASURE is not set")
	}
	self := "/proc/self/exe"
	if exe, err := os.Executable(); err == nil {
		self = exe
	}
	for _, into := range []string{"/dev/null", "pipe"} {
		var cat, prefix, writer []time.Duration
		for range 7 {
			cat = append(cat, timed(t, into, self, "writer", "| cat"))
			prefix = append(prefix, timed(t, into, self, "copier", ""))
			writer = append(writer, timed(t, into, self, "writer", ""))
		}
		slices.Sort(cat)
		slices.Sort(prefix)
		slices.Sort(writer)
		m := len(cat) / 2
		fmt.Printf("into %s: cat %v (%v..%v), prefix %v (%v..%v), bare %v: %.2f of cat\n", into, cat[m], cat[0], cat[6],
			prefix[m], prefix[0], prefix[6], writer[m], float64(cat[m])/float64(prefix[m]))
	}
}

// timed runs a role of this binary with its output into a file or a pipe.
func timed(t *testing.T, into, self, as, through string) time.Duration {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", role+"="+as+" '"+self+"' "+through)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.Stdout = null
	begin := time.Now()
	if into == "pipe" {
		cmd.Stdout = nil
		r, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(null, r); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return time.Since(begin)
	}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}
