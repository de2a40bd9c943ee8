package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLinesThatGoToTheBackground(t *testing.T) {
	dir := files(t, map[string]string{
		"off.conf": "# daemon on;\ndaemon off;\nevents {}\n",
		"on.conf":  "# daemon off;\nevents {}\n",
	})
	for _, c := range []struct {
		line, want string // want "": it stays
	}{
		{"sidekiq -d", "sidekiq with -d"},
		{"bundle exec sidekiq -C config.yml --daemon", "sidekiq with -d"},
		{"bundle exec sidekiq -C d", ""},
		{"puma -d", "puma with -d"},
		{"env A=1 puma --daemon", "puma with"},
		{"gunicorn app:app -D", "gunicorn with -D"},
		{"python -m gunicorn app:app --daemon", "gunicorn with"},
		{"gunicorn -D app", "gunicorn with"},
		{"unicorn -D -c unicorn.rb", "unicorn with"},
		{"unicorn_rails --daemonize", "unicorn_rails with"},
		{"celery multi start w1 -A app", "celery with multi"},
		{"celery -A app multi start w1", "celery with multi"},
		{"celery -A app worker --detach", "celery with"},
		{"celery -A multi worker", ""},
		{"celery -A app worker -n $INDEX", ""},
		{"nginx -c on.conf", "nginx without"},
		{"nginx -c off.conf", ""},
		{"nginx -p . -c off.conf", ""},
		{"nginx -g 'daemon off;'", ""},
		{`/usr/sbin/nginx -c on.conf -g "pid /tmp/x; daemon off;"`, ""},
		{"nginx -c on.conf -g 'daemon on;'", "nginx without"},
		{"cd /app && puma -d", "puma with"},
		{"puma -d; tail -f log/puma.log", "puma with"},
		{"bin/delayed_job start", "delayed_job with start"},
		{"bin/delayed_job run", ""},
		{"work &", "sends it to the background"},
		{"work & other & wait", ""},
		{"echo puma -d && work", ""},
		{"grep -d sidekiq", ""},
		{"env CONF=/etc/nginx serve", ""},
		{"sudo chown www /var/lib/nginx && serve", ""},
		{"ruby script.rb nginx", ""},
		{"command -v nginx; serve", ""},
		{"/entrypoint.sh nginx", ""},
		{"timeout -k 5 60 nginx -c on.conf", "nginx without"},
		{"su app -c 'puma -d'", "puma with"},
	} {
		t.Run(c.line, func(t *testing.T) {
			r := asked(dir, "run", "x=1")
			r.Procfile = filepath.Join(files(t, map[string]string{"Procfile": "x: " + c.line + "\n"}), "Procfile")
			if c.want == "" {
				resolved(t, r)
				return
			}
			got := refused(t, r)
			contains(t, got, c.want, "Procfile:1: x: ", "; ")
			if strings.Contains(got, "\n") {
				t.Errorf("said more than once:\n%s", got)
			}
		})
	}
	contains(t, refused(t, asked(dir, "exec", "sidekiq", "-d")), "sidekiq with -d")
	contains(t, refused(t, asked(dir, "exec", "sh", "-c", "cd / && sidekiq -d")), "sidekiq with -d")
	contains(t, refused(t, asked(dir, "exec", "nginx", "-c", "on.conf")), "daemon off;")
}

func TestQuoteLeftOpen(t *testing.T) {
	for line, want := range map[string]string{
		`work "a`: "a quote is not closed", "work don't": "a quote is not closed", `work "it's"`: "", `work a # don't`: "", `work $((1`: "",
	} {
		r := asked(files(t, map[string]string{"Procfile": "x: " + line + "\n"}), "run", "x=1")
		got := strings.Join(resolved(t, r).Warnings, "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestPortsThatTypesShare(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "a: work\nb: work\n"})
	contains(t, strings.Join(resolved(t, asked(dir, "start").formed(t, "a=101,b=1")).Warnings, "\n"), "Procfile:1: a: 101 processes have ports that b has too")
	for _, fine := range []string{"a=100,b=1", "a=101,b=0", "a=1,b=101"} {
		if got := resolved(t, asked(dir, "start").formed(t, fine)).Warnings; len(got) > 0 {
			t.Errorf("%s: %q", fine, got)
		}
	}
}

func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		line   string
		budget time.Duration
		want   string // in the warning; "": none
	}{
		{"sidekiq", 10 * time.Second, "sidekiq -t $STOP_TIMEOUT"},
		{"sidekiq -t 25", 10 * time.Second, "its own setting"},
		{"bundle exec sidekiq -t $STOP_TIMEOUT", 10 * time.Second, ""},
		{"sidekiq -t 8", 10 * time.Second, ""},
		{"sidekiq -t 9", 10 * time.Second, "STOP_TIMEOUT=8"},
		{"sidekiq", 30 * time.Second, ""},
		{"sidekiq -t 25", 30 * time.Second, ""},
		{"gunicorn app", 10 * time.Second, "--graceful-timeout $STOP_TIMEOUT"},
		{"gunicorn --graceful-timeout 8 app", 10 * time.Second, ""},
		{"cd /app && exec sidekiq -t 25", 10 * time.Second, "its own setting"},
		{"serve -t 25", 10 * time.Second, ""},
	} {
		dir := files(t, map[string]string{"Procfile": "x: " + c.line + "\n"})
		r := asked(dir, "run", "x=1")
		r.Budget = c.budget
		got := strings.Join(resolved(t, r).Warnings, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s in %s: %q, want %q", c.line, c.budget, got, c.want)
		}
		if c.want != "" {
			contains(t, got, "Procfile:1: x: ", "--budget ")
		}
	}
}

func TestBudgetThatIsAdvisedIsEnough(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "x: sidekiq\n"})
	r := asked(dir, "run", "x=1")
	warnings := resolved(t, r).Warnings
	_, text, _ := strings.Cut(warnings[0], "--budget ")
	budget, err := time.ParseDuration(strings.Fields(text)[0])
	if err != nil {
		t.Fatal(err)
	}
	r.Budget = budget
	if got := resolved(t, r).Warnings; len(got) > 0 {
		t.Errorf("with a budget of %s: %q", budget, got)
	}
}

func TestTimeoutOfExec(t *testing.T) {
	dir := files(t, nil)
	warnings := func(words ...string) string {
		return strings.Join(resolved(t, asked(dir, "exec", words...)).Warnings, "\n")
	}
	contains(t, warnings("sidekiq"), "sidekiq: sidekiq waits up to 25s", "write sidekiq -t 8, or")
	contains(t, warnings("sh", "-c", "sidekiq -t 25"), "write sidekiq -t $STOP_TIMEOUT, or")
	contains(t, warnings("sidekiq", "-t", "$STOP_TIMEOUT"), "$STOP_TIMEOUT stays $STOP_TIMEOUT", "sh -c")
	if got := warnings("sh", "-c", "exec sidekiq -t $STOP_TIMEOUT"); got != "" {
		t.Error(got)
	}
}

func TestNamesOfSeveral(t *testing.T) {
	for _, c := range []struct {
		line, count, want string
	}{
		{"sidekiq -t 5 -i 0", "3", "write sidekiq -i $INDEX"},
		{"sidekiq -t 5 -i 0", "1", ""},
		{"sidekiq -t 5 -i $INDEX", "3", ""},
		{"sidekiq -t 5 -i ${INDEX}", "3", ""},
		{"sidekiq -t 5 --index=$DYNO", "3", "$INDEX"},
		{"cd a && sidekiq -t 5 -i $INDEX", "3", ""},
		{"bundle exec sidekiqswarm -t 5", "2", "write sidekiq: "},
		{"celery -A app worker", "2", "write celery worker -n worker$INDEX@%h"},
		{"celery -A app worker -n w$INDEX@%h", "2", ""},
		{"celery -A app worker --hostname=$PS@%h", "2", ""},
		{"celery -A app worker", "1", ""},
	} {
		dir := files(t, map[string]string{"Procfile": "x: " + c.line + "\n"})
		got := strings.Join(resolved(t, asked(dir, "run", "x="+c.count)).Warnings, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s times: %q, want %q", c.line, c.count, got, c.want)
		}
	}
	contains(t, strings.Join(resolved(t, asked(files(t, nil), "exec", "sidekiq", "-t", "5", "-i", "0").counted(t, "--count", "2")).Warnings, "\n"), "$INDEX")
	dir := files(t, map[string]string{"Procfile": "x: clockwork clock.rb\n"})
	contains(t, strings.Join(resolved(t, asked(dir, "run", "x=2")).Warnings, "\n"), "each schedules everything", "run x=1")
}

func TestSeveralOnOnePort(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: serve -p $PORT\napi: serve -p ${PORT:-80}\nworker: work\nown: launcher exec --listen none -- serve $PORT\n"})
	for _, words := range [][]string{{"web"}, {"web=1", "worker=3"}, {"web", "api=0"}, {"worker=2"}, {"own=2"}} {
		resolved(t, asked(dir, "run", words...))
	}
	contains(t, refused(t, asked(dir, "run", "web=2")), "Procfile:1: web: 2 processes use the one $PORT", "launcher start", "--listen none")
	contains(t, refused(t, asked(dir, "run", "web", "api")), "web=1 api=1")
	contains(t, refused(t, asked(dir, "run", "web").counted(t, "COUNT", "2")), "$PORT")
	insists := asked(dir, "run", "web=2")
	insists.ListenNone = true
	if got := len(resolved(t, insists).Specs); got != 2 {
		t.Errorf("%d processes", got)
	}
	if got := len(resolved(t, asked(dir, "start").formed(t, "web=2,api=1")).Specs); got != 3 {
		t.Errorf("start: %d processes", got)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("worker: work $INDEX\nweb: launcher exec -c 2 -- serve\n", "A=1\n", "worker=2")
	f.Add("worker: a && b -d &\n", "A='\nB", "worker")
	f.Add("x: nginx -g\n", "", "x")
	many := regexp.MustCompile(`[0-9]{3}`) // thousands of processes take their time
	f.Fuzz(func(t *testing.T, text, env, word string) {
		if many.MatchString(text) || many.MatchString(word) {
			t.Skip()
		}
		dir := files(t, map[string]string{"Procfile": text, ".env": env})
		for _, r := range []request{asked(dir, "run", word), asked(dir, "start"), asked(dir, "exec", word, text)} {
			gen, err := resolveWithin(r, true, fourCores)
			if err == nil && len(gen.Specs) == 0 && len(gen.Warnings) == 0 && r.Command != "start" {
				t.Errorf("%s %q: nothing runs, and nothing is said", r.Command, word)
			}
			for i := range gen.Specs {
				if len(gen.Specs[i].Argv) == 0 {
					t.Errorf("%s: no words", gen.Specs[i].Name())
				}
			}
		}
	})
}
