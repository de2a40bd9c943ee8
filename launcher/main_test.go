package launcher

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// childEnv names what a re-executed test binary is to do instead of testing.
const childEnv = "LAUNCHER_TEST_CHILD"

// childModes are what a re-executed test binary can do. Test files add theirs
// in init. Each runs on the main thread.
var childModes = map[string]func(){}

func init() {
	if os.Getenv(childEnv) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	mode := os.Getenv(childEnv)
	if mode == "" {
		os.Exit(m.Run())
	}
	run := childModes[mode]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no such child mode:", mode)
		os.Exit(2)
	}
	run()
	os.Exit(0)
}
