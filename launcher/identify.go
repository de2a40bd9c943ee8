package launcher

import "strings"

// Identify finds the server that a command line starts, or that a process's
// title shows. It looks through shells, wrappers, interpreters, bundle exec and
// rake. What it cannot be sure of is not known: ok is false.
//
// The server it returns may differ from its row of the table where the options
// say so: sidekiq with an index of its own, or celery with -B, cannot run twice.
func Identify(argv []string) (Server, bool) {
	argv = trimmed(argv)
	if name, ok := titled(argv); ok {
		return serverNamed(name)
	}
	argv = unwrapped(argv)
	if len(argv) == 0 {
		return Server{}, false
	}
	program, args := programName(argv[0]), argv[1:]
	server, ok := serverNamed(serverOf(program, args))
	switch {
	case program == "sidekiqswarm":
		// It starts COUNT processes of its own, and tells systemd of itself only
		// in later versions (FACTS 6).
		server.Jobs, server.Notifies = false, false
	case server.Name == "sidekiq":
		_, server.Alone = option(args, "-i", "--index")
	case server.Name == "celery":
		server.Alone = has(args, "-B") || has(args, "--beat")
	case server.Name == "rq":
		server.Jobs = !has(args, "worker-pool") // has processes of its own
	}
	return server, ok
}

// trimmed leaves out the empty words at the end that a title leaves in
// /proc/PID/cmdline.
func trimmed(argv []string) []string {
	for len(argv) > 0 && strings.TrimSpace(argv[len(argv)-1]) == "" {
		argv = argv[:len(argv)-1]
	}
	return argv
}

// titled reads a title: one word with spaces in it, which a process has written
// over its command line.
func titled(argv []string) (name string, ok bool) {
	if len(argv) != 1 {
		return "", false
	}
	title := strings.TrimSpace(argv[0])
	switch {
	case strings.HasPrefix(title, "[celeryd:"):
		return "celery", true
	case strings.HasPrefix(title, "[celery beat"):
		return "celery-beat", true
	case strings.HasPrefix(title, "rq:"):
		return "rq", true
	}
	first, rest, spaced := strings.Cut(title, " ")
	mark := strings.HasSuffix(first, ":")
	word := strings.TrimRight(first, ":,")
	switch {
	case !spaced:
		return "", false
	case mark && (word == "nginx" || word == "gunicorn" || word == "puma" || strings.HasPrefix(word, "php-fpm")):
		return strings.TrimRight(word, "0123456789."), true
	case mark && strings.HasPrefix(word, "resque-"):
		return "resque", true
	case word == "sidekiqswarm", word == "sidekiq":
		return "sidekiq", true
	case word == "puma" && rest[0] >= '0' && rest[0] <= '9':
		return "puma", true
	case (word == "unicorn" || word == "unicorn_rails") && (strings.HasPrefix(rest, "master") || strings.HasPrefix(rest, "worker[")):
		return "unicorn", true
	}
	return "", false
}

// serverOf names the row of the table for a program and its arguments; "" for
// none.
func serverOf(program string, args []string) string {
	switch program {
	case "sidekiq", "puma", "unicorn", "gunicorn", "uvicorn", "nginx", "clockwork":
		return program
	case "sidekiqswarm":
		return "sidekiq"
	case "unicorn_rails":
		return "unicorn"
	case "openresty":
		return "nginx"
	case "apache2", "apachectl", "apache2ctl", "apache2-foreground", "httpd-foreground":
		return "apache"
	case "httpd": // busybox has one too, which WINCH tells nothing
		if strings.Contains(strings.Join(args, " "), "FOREGROUND") || has(args, "-X") {
			return "apache"
		}
	case "node", "nodejs":
		return "node"
	case "rqworker":
		return "rq"
	case "celeryd":
		return "celery"
	case "celerybeat":
		return "celery-beat"
	}
	if version := strings.TrimPrefix(program, "php-fpm"); version != program && strings.Trim(version, "0123456789.-") == "" {
		return "php-fpm"
	}
	return serverOfTask(program, args)
}

// serverOfTask is serverOf for programs that are servers with the right
// argument only.
func serverOfTask(program string, args []string) string {
	switch program {
	case "launcher", "launcherctl":
		if len(args) > 0 && (args[0] == "run" || args[0] == "start" || args[0] == "exec") {
			return "launcher"
		}
	case "rake", "rails":
		switch {
		case has(args, "resque:work"):
			return "resque"
		case has(args, "jobs:work"):
			return "delayed_job"
		}
	case "resque":
		if has(args, "work") {
			return "resque"
		}
	case "delayed_job":
		if has(args, "run") {
			return "delayed_job"
		}
	case "rq":
		if word := operand(args, "-u --url -c --config -P --path"); word == "worker" || word == "worker-pool" {
			return "rq"
		}
	case "manage.py":
		if len(args) > 0 && args[0] == "rqworker" {
			return "rq"
		}
	case "celery":
		switch operand(args, "-A --app -b --broker --result-backend --loader --config --workdir") {
		case "worker":
			return "celery"
		case "beat":
			return "celery-beat"
		}
	}
	return ""
}

// operand is the first word that is no option and no value of the options named.
func operand(args []string, valued string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "" || args[i][0] != '-':
			return args[i]
		case has(strings.Fields(valued), args[i]):
			i++
		}
	}
	return ""
}

// option is the value of the last of short ("-t") and long ("--timeout"), in any
// of the ways to write it: -t 8, -t8, --timeout 8, --timeout=8. given is true for
// an option at the end that lacks its value.
func option(args []string, short, long string) (value string, given bool) {
	for i, arg := range args {
		name, after, assigned := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return value, given
		case arg == long, arg == short && short != "":
			value, given = "", true
			if i+1 < len(args) {
				value = args[i+1]
			}
		case assigned && name == long:
			value, given = after, true
		case short != "" && strings.HasPrefix(arg, short) && !strings.HasPrefix(arg, "--"):
			value, given = arg[len(short):], true
		}
	}
	return value, given
}

func has(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// programName is the last part of a path, without the dash of a login shell.
func programName(path string) string {
	return strings.TrimPrefix(path[strings.LastIndexByte(path, '/')+1:], "-")
}
