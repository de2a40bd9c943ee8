package launcher

import (
	"strings"
	"testing"
)

func TestWrapper(t *testing.T) {
	for _, c := range []struct {
		line, comm string
		want       bool
	}{
		{"sh -c x", "sh", true},
		{"/bin/bash ./run.sh", "run.sh", true},
		{"-bash", "bash", true},
		{"/bin/busybox sh -c x", "busybox", true},
		{"busybox httpd", "busybox", false},
		{"tini -- sidekiq", "tini", true},
		{"dumb-init sidekiq", "dumb-init", true},
		{"catatonit -- sidekiq", "catatonit", true},
		{"su app -c sidekiq", "su", true},
		{"sudo -u app sidekiq", "sudo", true},
		{"runuser -u app sidekiq", "runuser", true},
		{"script -qc sidekiq", "script", true},
		{"timeout 5 sidekiq", "timeout", true},
		{"strace sidekiq", "strace", true},
		{"ruby /usr/bin/bundle exec sidekiq", "bundle", true},
		{"bundle exec sidekiq", "bundle", true},
		{"node /usr/bin/npm start", "npm", true},
		{"node /usr/lib/node_modules/npm/bin/npm-cli.js start", "node", true},
		{"node /usr/bin/yarn start", "node", true},
		{"", "sh", true},
		{"/x/own program", "bundle", true},
		{"", "sidekiq", false},
		{"sidekiq", "bundle", false},
		{"ruby /usr/bin/sidekiq", "sidekiq", false},
		{"ruby /usr/bin/rake resque:work", "rake", false},
		{"rake environment", "rake", false},
		{"python -m celery worker", "python3", false},
		{"node server.js", "node", false},
		{"launcher run worker", "launcher", false},
		{"myserver", "myserver", false},
	} {
		if got := Wrapper(strings.Fields(c.line), c.comm); got != c.want {
			t.Errorf("%s (%s): %v", c.line, c.comm, got)
		}
	}
	for title, want := range map[string]bool{
		"npm start": true, "npm exec x": true,
		"puma 5.6.5 (tcp://0.0.0.0:80) [app]": false, "sidekiq 6.4.1 app [0 of 10 busy]": false, "my own title": false,
	} {
		if got := Wrapper([]string{title, ""}, "ruby"); got != want {
			t.Errorf("%s: %v", title, got)
		}
	}
}
