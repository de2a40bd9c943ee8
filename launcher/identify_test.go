package launcher

import (
	"slices"
	"strings"
	"testing"
)

// commandLines are lines of words, and the server that each starts; "" where it
// is not known.
var commandLines = []struct{ line, server string }{
	{"sidekiq", "sidekiq"},
	{"sidekiqswarm", "sidekiq"},
	{"/usr/local/bin/sidekiq -C config/sidekiq.yml", "sidekiq"},
	{"bin/sidekiq -q low", "sidekiq"},
	{"bundle exec sidekiq -t 8", "sidekiq"},
	{"bundle exec --keep-file-descriptors sidekiq", "sidekiq"},
	{"bundle exec --gemfile x/Gemfile sidekiq", "sidekiq"},
	{"bundle --gemfile=x/Gemfile exec sidekiq", "sidekiq"},
	{"/usr/bin/ruby /usr/bin/bundle exec sidekiq", "sidekiq"},
	{"ruby3.1 -I lib -rbundler/setup /x/bin/sidekiq -c 5", "sidekiq"},
	{"ruby -S sidekiq", "sidekiq"},
	{"ruby -r ./boot -S sidekiq -c 5", "sidekiq"},
	{"env RAILS_ENV=production bundle exec sidekiq", "sidekiq"},
	{"/usr/bin/env -u FOO -i A=b sidekiq", "sidekiq"},
	{"RAILS_ENV=production MALLOC_ARENA_MAX=2 sidekiq", "sidekiq"},
	{"exec bundle exec sidekiq", "sidekiq"},
	{"nice -n 5 sidekiq", "sidekiq"},
	{"nice -5 sidekiq", "sidekiq"},
	{"nohup nice sidekiq", "sidekiq"},
	{"tini -- sidekiq", "sidekiq"},
	{"tini -g -p TERM -- bundle exec sidekiq", "sidekiq"},
	{"docker-init -- sidekiq", "sidekiq"},
	{"dumb-init sidekiq", "sidekiq"},
	{"dumb-init -r 15:3 -- sidekiq", "sidekiq"},
	{"dumb-init --rewrite 15:3 --single-child sidekiq", "sidekiq"},
	{"catatonit -- sidekiq", "sidekiq"},
	{"timeout 3600 sidekiq", "sidekiq"},
	{"timeout -k 5 -s TERM 1h sidekiq", "sidekiq"},
	{"timeout --kill-after=5 1h sidekiq", "sidekiq"},
	{"setsid -w sidekiq", "sidekiq"},
	{"stdbuf -oL sidekiq", "sidekiq"},
	{"ionice -c 3 sidekiq", "sidekiq"},
	{"taskset -c 0,1 sidekiq", "sidekiq"},
	{"chrt -b 0 sidekiq", "sidekiq"},
	{"flock -n /run/lock sidekiq", "sidekiq"},
	{"sudo -u app -E RAILS_ENV=x sidekiq", "sidekiq"},
	{"gosu app:app sidekiq", "sidekiq"},
	{"su-exec app sidekiq", "sidekiq"},
	{"setpriv --reuid 1000 --clear-groups -- sidekiq", "sidekiq"},
	{"runuser -u app -- bundle exec sidekiq", "sidekiq"},
	{"runuser -u app sidekiq", "sidekiq"},
	{"strace -f -o /tmp/x sidekiq", "sidekiq"},
	{"busybox timeout 5 sidekiq", "sidekiq"},
	{"docker-entrypoint.sh bundle exec sidekiq", "sidekiq"},
	{"/rails/bin/docker-entrypoint sidekiq", "sidekiq"},
	{"sh entrypoint.sh sidekiq", "sidekiq"},
	{"bin/start-pgbouncer bundle exec sidekiq", "sidekiq"},
	{"rbenv exec bundle exec sidekiq", "sidekiq"},

	{"puma", "puma"},
	{"bundle exec puma -C config/puma.rb", "puma"},
	{"unicorn -c unicorn.rb", "unicorn"},
	{"bundle exec unicorn_rails -E production", "unicorn"},
	{"clockwork clock.rb", "clockwork"},
	{"rake resque:work", "resque"},
	{"rake environment resque:work QUEUE=*", "resque"},
	{"QUEUE=* bundle exec rake -f Rakefile environment resque:work", "resque"},
	{"bin/rails resque:work", "resque"},
	{"resque work -q *", "resque"},
	{"rake jobs:work", "delayed_job"},
	{"rails jobs:work", "delayed_job"},
	{"bin/delayed_job run", "delayed_job"},

	{"celery -A app worker -l info", "celery"},
	{"celery worker -A app", "celery"},
	{"celery --app=proj worker", "celery"},
	{"celery -A beat worker", "celery"},
	{"python -m celery -A app worker", "celery"},
	{"python3.11 -u -m celery.__main__ -A app worker", "celery"},
	{"/venv/bin/python3 /venv/bin/celery -A app worker", "celery"},
	{"celery -A app beat", "celery-beat"},
	{"celery -A worker beat", "celery-beat"},
	{"rq worker high low", "rq"},
	{"rq worker-pool -n 3", "rq"},
	{"rqworker", "rq"},
	{"python manage.py rqworker default", "rq"},
	{"./manage.py rqworker", "rq"},
	{"gunicorn app:app", "gunicorn"},
	{"python -m gunicorn app:app", "gunicorn"},
	{"python -W ignore /venv/bin/gunicorn app:app", "gunicorn"},
	{"poetry run gunicorn app:app", "gunicorn"},
	{"uv run --with x gunicorn app:app", "gunicorn"},
	{"pipenv run gunicorn app:app", "gunicorn"},
	{"newrelic-admin run-program gunicorn app:app", "gunicorn"},
	{"uvicorn app:app --port 80", "uvicorn"},

	{"nginx -c conf", "nginx"},
	{"openresty", "nginx"},
	{"php-fpm", "php-fpm"},
	{"php-fpm8.2 -F", "php-fpm"},
	{"php-fpm-7.4 -F", "php-fpm"},
	{"docker-php-entrypoint php-fpm", "php-fpm"},
	{"apache2 -DFOREGROUND", "apache"},
	{"httpd -D FOREGROUND", "apache"},
	{"apache2-foreground", "apache"},
	{"node server.js", "node"},
	{"node --max-old-space-size=400 -r dotenv/config server.js", "node"},
	{"nodejs server.js", "node"},
	{"yarn node server.js", "node"},

	{"launcher run worker", "launcher"},
	{"bin/launcher exec -- sidekiq", "launcher"},
	{"launcherctl start", "launcher"},
	{"tini -- launcher run worker", "launcher"},

	{"", ""},
	{"sidekiqctl stop", ""},
	{"sidekiqmon", ""},
	{"bundle install", ""},
	{"bundle exec", ""},
	{"bundle", ""},
	{"echo sidekiq", ""},
	{"tail -f sidekiq.log", ""},
	{"rake", ""},
	{"rake db:migrate", ""},
	{"rake resque:workers_count", ""},
	{"rails server", ""},
	{"delayed_job start", ""},
	{"resque list", ""},
	{"celery -A app flower", ""},
	{"celery multi start w1", ""},
	{"celery -A worker", ""},
	{"celery", ""},
	{"rq info", ""},
	{"python manage.py runserver", ""},
	{"python -c sidekiq", ""},
	{"python", ""},
	{"ruby -e sidekiq", ""},
	{"ruby", ""},
	{"npm start", ""},
	{"npm run sidekiq-worker", ""},
	{"node /usr/lib/node_modules/npm/bin/npm-cli.js start", ""},
	{"busybox httpd -f", ""},
	{"httpd -f -p 80", ""},
	{"php-fpmx", ""},
	{"launcher status", ""},
	{"launcher", ""},
	{"sudo -u sidekiq true", ""},
	{"su sidekiq", ""},
	{"su - app", ""},
	{"timeout 5", ""},
	{"env", ""},
	{"A=b", ""},
	{"sh", ""},
	{"--", ""},
	{"tini tini tini tini", ""},
}

// shellLines are the text of sh -c.
var shellLines = []struct{ text, server string }{
	{"sidekiq", "sidekiq"},
	{"exec bundle exec sidekiq -t $STOP_TIMEOUT", "sidekiq"},
	{"cd app && exec bundle exec sidekiq", "sidekiq"},
	{"rake db:migrate; sidekiq", "sidekiq"},
	{"rake db:migrate || true\n  A=1 exec sidekiq\n", "sidekiq"},
	{"sidekiq 2>&1 | tee log", "sidekiq"},
	{"sidekiq > log 2>&1", "sidekiq"},
	{`'side'kiq`, "sidekiq"},
	{`"sidekiq" "-q" 'a b'`, "sidekiq"},
	{"side\\\nkiq", "sidekiq"},
	{"sidekiq # puma", "sidekiq"},
	{"bash -lc 'exec sidekiq'", "sidekiq"},
	{"sidekiq && puma", "puma"},
	{"rake resque:work QUEUE=$QUEUES", "resque"},
	{"sidekiq &", ""},
	{"sidekiq & puma", ""},
	{"while true; do sidekiq; done", ""},
	{"if x; then sidekiq; fi", ""},
	{"(sidekiq)", ""},
	{"{ sidekiq; }", ""},
	{"$(echo sidekiq)", ""},
	{"`echo sidekiq`", ""},
	{"$SERVER", ""},
	{"cat <<E\nsidekiq\nE", ""},
	{"echo 'sidekiq", ""},
	{"echo sidekiq | cat", ""},
	{"", ""},
	{";;", ""},
}

func name(argv []string) string {
	server, ok := Identify(argv)
	if ok != server.Known() {
		return "ok does not tell whether it is known"
	}
	return server.Name
}

func TestIdentify(t *testing.T) {
	for _, c := range commandLines {
		if got := name(strings.Fields(c.line)); got != c.server {
			t.Errorf("%s: %q, want %q", c.line, got, c.server)
		}
	}
}

func TestIdentifyShell(t *testing.T) {
	for _, c := range shellLines {
		for _, argv := range [][]string{
			{"sh", "-c", c.text},
			{"/bin/bash", "-l", "-eo", "pipefail", "-c", c.text},
			{"/bin/busybox", "sh", "-ec", c.text},
			{"-bash", "-lc", "--", c.text},
			{"su", "app", "-c", c.text},
			{"su", "-", "app", "--command=" + c.text},
			{"runuser", "-l", "app", "-c", c.text},
			{"script", "-qefc", c.text, "/dev/null"},
			{"tini", "--", "sh", "-c", c.text, "sh", "arg"},
		} {
			if got := name(argv); got != c.server {
				t.Errorf("%q: %q, want %q", argv, got, c.server)
			}
		}
	}
}

// TestIdentifyTitles: servers write over their command line.
func TestIdentifyTitles(t *testing.T) {
	for title, want := range map[string]string{
		"sidekiq 6.4.1 app [0 of 10 busy]":                    "sidekiq",
		"sidekiq 7.1.2  [3 of 5 busy] stopping":               "sidekiq",
		"sidekiqswarm, managing 4 processes":                  "sidekiq",
		"puma 5.6.5 (tcp://0.0.0.0:9292) [app]":               "puma",
		"puma: cluster worker 0: 4711 [app]":                  "puma",
		"nginx: master process nginx -g daemon off;":          "nginx",
		"nginx: worker process":                               "nginx",
		"gunicorn: master [app]":                              "gunicorn",
		"unicorn master -c config/unicorn.rb":                 "unicorn",
		"unicorn worker[0] -c config/unicorn.rb":              "unicorn",
		"php-fpm: master process (/etc/php-fpm.conf)":         "php-fpm",
		"resque-2.4.0: Waiting for default":                   "resque",
		"[celeryd: celery@host:MainProcess] -active- (worker": "celery",
		"[celery beat]":                                       "celery-beat",
		"rq:worker:abc: Listening on default":                 "rq",
		"puma and cats":                                       "",
		"my sidekiq app":                                      "",
		"npm start":                                           "",
		" ":                                                   "",
	} {
		if got := name([]string{title, "", ""}); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}

// FuzzIdentify: no words of anybody's make it fall over or change.
func FuzzIdentify(f *testing.F) {
	for _, c := range commandLines {
		f.Add(strings.Join(strings.Fields(c.line), "\x00"))
	}
	for _, c := range shellLines {
		f.Add("sh\x00-c\x00" + c.text)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		argv := strings.Split(joined, "\x00")
		before := slices.Clone(argv)
		server, ok := Identify(argv)
		Wrapper(argv, "sh")
		Busy(joined)
		if _, _, timed := Timeout(argv, nil); timed && !ok || ok != server.Known() {
			t.Errorf("%q: %+v", argv, server)
		}
		if !slices.Equal(argv, before) {
			t.Errorf("%q became %q", before, argv)
		}
	})
}
