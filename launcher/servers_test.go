package launcher

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOptionsChangeTheRow: what the options say of this one.
func TestOptionsChangeTheRow(t *testing.T) {
	for line, want := range map[string]struct{ jobs, alone, notifies bool }{
		"sidekiq":                   {jobs: true, notifies: true},
		"sidekiq -i 3":              {jobs: true, notifies: true, alone: true},
		"sidekiq -i$INDEX":          {jobs: true, notifies: true, alone: true},
		"sidekiq --index=3":         {jobs: true, notifies: true, alone: true},
		"sidekiqswarm":              {},
		"rq worker":                 {jobs: true},
		"rq worker-pool":            {},
		"celery -A app worker":      {},
		"celery -A app worker -B":   {alone: true},
		"celery -A app beat":        {alone: true},
		"clockwork clock.rb":        {alone: true},
		"rake resque:work":          {jobs: true},
		"rake jobs:work":            {jobs: true},
		"puma -i":                   {},
		"launcher run worker":       {},
		"gunicorn -w 4 --index=app": {},
	} {
		s, _ := Identify(strings.Fields(line))
		if s.Jobs != want.jobs || s.Alone != want.alone || s.Notifies != want.notifies {
			t.Errorf("%s: jobs %v, alone %v, notifies %v; want %+v", line, s.Jobs, s.Alone, s.Notifies, want)
		}
	}
	if s := Servers()[0]; s.Alone || !s.Jobs {
		t.Error("Identify changed the table")
	}
}

// TestServerSignals is DESIGN 3's list.
func TestServerSignals(t *testing.T) {
	for line, want := range map[string]struct{ quiet, stop unix.Signal }{
		"sidekiq":              {unix.SIGTSTP, unix.SIGTERM},
		"sidekiqswarm":         {unix.SIGTSTP, unix.SIGTERM},
		"rake resque:work":     {unix.SIGUSR2, unix.SIGQUIT},
		"nginx":                {0, unix.SIGQUIT},
		"php-fpm":              {0, unix.SIGQUIT},
		"unicorn":              {0, unix.SIGQUIT},
		"apache2 -DFOREGROUND": {0, unix.SIGWINCH},
		"celery worker":        {0, unix.SIGTERM},
		"rq worker":            {0, unix.SIGTERM},
		"puma":                 {0, unix.SIGTERM},
		"gunicorn x":           {0, unix.SIGTERM},
		"node x.js":            {0, unix.SIGTERM},
		"launcher run worker":  {unix.SIGTSTP, unix.SIGTERM},
	} {
		if s, ok := Identify(strings.Fields(line)); !ok || s.Quiet != want.quiet || s.Stop != want.stop {
			t.Errorf("%s: quiet %v, stop %v", line, s.Quiet, s.Stop)
		}
	}
}

// TestTable: every row can be shown, and found by its name.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, s := range Servers() {
		if names[s.Name] || !s.Known() || s.Programs == "" || s.Second == "" || s.Ready == "" || s.Drained == "" || s.Stop == 0 {
			t.Errorf("%+v", s)
		}
		names[s.Name] = true
	}
	for _, unsafe := range []string{"rq", "celery", "resque"} { // DESIGN 3: Broadcast
		if s, _ := serverNamed(unsafe); !s.Known() || s.Again {
			t.Errorf("%+v: a second TERM does it harm", s)
		}
	}
	if (Server{}).Known() {
		t.Error("the zero value is known")
	}
}

func TestBusy(t *testing.T) {
	for _, c := range []struct {
		title        string
		busy, total  int
		stopping, ok bool
	}{
		{"sidekiq 6.4.1 app [3 of 10 busy]", 3, 10, false, true},
		{"sidekiq 6.4.1 app [0 of 10 busy] stopping", 0, 10, true, true},
		{"sidekiq 7.0.0  [12 of 25 busy] leader", 12, 25, false, true},
		{"sidekiq 6.4.1 [stopping] [1 of 2 busy]", 1, 2, false, true},
		{"sidekiq 6.4.1 app", 0, 0, false, false},
		{"sidekiq [x of y busy]", 0, 0, false, false},
		{"sidekiq busy]", 0, 0, false, false},
		{"puma 5 [3 of 10 busy]", 0, 0, false, false},
		{"", 0, 0, false, false},
	} {
		busy, total, stopping, ok := Busy(c.title)
		if busy != c.busy || total != c.total || stopping != c.stopping || ok != c.ok {
			t.Errorf("%s: %d of %d, stopping %v, %v", c.title, busy, total, stopping, ok)
		}
	}
}

func TestTimeout(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"STOP_TIMEOUT": "8", "EMPTY": "", "GUNICORN_CMD_ARGS": "--graceful-timeout=7"}[name]
		return value, ok
	}
	for _, c := range []struct {
		argv      []string
		want      time.Duration
		given, ok bool
	}{
		{[]string{"sidekiq"}, 25, false, true},
		{[]string{"sidekiq", "-t", "8"}, 8, true, true},
		{[]string{"sidekiq", "-t8", "-q", "x"}, 8, true, true},
		{[]string{"sidekiq", "--timeout", "9"}, 9, true, true},
		{[]string{"sidekiq", "--timeout=9"}, 9, true, true},
		{[]string{"sidekiq", "-t", "25", "-t", "6"}, 6, true, true},
		{[]string{"bundle", "exec", "sidekiq", "-t", "5"}, 5, true, true},
		{[]string{"timeout", "-k", "5", "60", "sidekiq"}, 25, false, true},
		{[]string{"sh", "-c", "exec sidekiq -t $STOP_TIMEOUT"}, 8, true, true},
		{[]string{"sh", "-c", `exec sidekiq -t "${STOP_TIMEOUT}"`}, 8, true, true},
		{[]string{"sh", "-c", "sidekiq -t ${NONE:-4}"}, 4, true, true},
		{[]string{"sh", "-c", "sidekiq -t ${EMPTY:-4}"}, 4, true, true},
		{[]string{"sh", "-c", "sidekiq -t ${NONE-4}"}, 4, true, true},
		{[]string{"sh", "-c", `cd x && exec sidekiq "$@"`, "sh", "-t", "3"}, 3, true, true},
		{[]string{"sh", "-c", "sidekiq -t $NONE"}, 0, true, false},
		{[]string{"sidekiq", "-t"}, 0, true, false},
		{[]string{"sidekiq", "-t", "soon"}, 0, true, false},
		{[]string{"sidekiqswarm", "-t", "8"}, 8, true, true},
		{[]string{"gunicorn", "app", "--graceful-timeout", "12"}, 12, true, true},
		{[]string{"gunicorn", "-t", "5", "app"}, 7, true, true},
		{[]string{"uvicorn", "app"}, 0, false, false},
		{[]string{"uvicorn", "app", "--timeout-graceful-shutdown", "6"}, 6, true, true},
		{[]string{"puma"}, 0, false, false},
		{[]string{"celery", "worker"}, 0, false, false},
		{[]string{"sleep", "9"}, 0, false, false},
		{nil, 0, false, false},
	} {
		d, given, ok := Timeout(c.argv, env)
		if d != c.want*time.Second || given != c.given || ok != c.ok {
			t.Errorf("%q: %v, given %v, %v", c.argv, d, given, ok)
		}
	}
	if d, given, ok := Timeout([]string{"gunicorn", "app"}, nil); d != 30*time.Second || given || !ok {
		t.Errorf("gunicorn: %v, %v, %v", d, given, ok)
	}
}
