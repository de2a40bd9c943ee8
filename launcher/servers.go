package launcher

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Server is what is known of one server: how to quiet it, how to stop it, and
// what it can stand (DESIGN 3). The zero value is a program that is not known.
type Server struct {
	Name string // "sidekiq"; "" for the zero value

	Quiet unix.Signal // take no more work; 0: it has none, its stop signal is its drain or its end
	Stop  unix.Signal // 0: TERM

	Drains bool // the stop signal lets it finish the work in hand, however long that takes
	Again  bool // a second stop signal does it no harm
	Jobs   bool // one process that takes jobs: COUNT defaults to the cores
	Binds  bool // listens to an address of its own: two are in each other's way
	Alone  bool // cannot run twice side by side: a restart is old first

	Notifies bool // says READY=1 itself, and is not ready before
	Early    bool // its master says READY=1 before it has loaded the program: that of a worker counts
	Titles   bool // how busy it is, and whether it stops, is read off its title

	// Words for people: the table in the README.
	Programs string // the commands it is known by
	Second   string // what a second TERM does
	Ready    string // how to tell that it is ready
	Drained  string // how to tell that no work is left
}

// Known tells whether it is a server of the table.
func (s Server) Known() bool { return s.Name != "" }

// Words that several rows of the table share.
const (
	byUp    = "up 10 s, or READY=1"
	byAck   = "up 10 s, or READY=1 with the gem sd_notify, or worker:ack"
	byEnd   = "it ends"
	ignored = "nothing more"
	atOnce  = "ends at once, the work in hand is lost"
)

// servers is the one table. Where nothing else is named its source is FACTS 1
// to 3, which were measured.
var servers = [...]Server{
	{
		// Before 5.0 the quiet signal was USR1, but no command line tells the
		// version, and USR1 is the log's in 5.0: TSTP, where it is caught.
		Name: "sidekiq", Quiet: unix.SIGTSTP, Stop: unix.SIGTERM, Again: true, Jobs: true, Notifies: true, Titles: true,
		Programs: "sidekiq, sidekiqswarm", Second: ignored, Ready: "READY=1", Drained: "its title: stopping and [0 of … busy] for 10 s",
	},
	{
		// QUIT waits for the job; TERM kills it (resque#1559).
		Name: "resque", Quiet: unix.SIGUSR2, Stop: unix.SIGQUIT, Drains: true, Jobs: true,
		Programs: "rake resque:work, rails resque:work, resque work", Second: atOnce, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "delayed_job", Stop: unix.SIGTERM, Drains: true, Jobs: true,
		Programs: "rake jobs:work, rails jobs:work, delayed_job run", Second: "by its settings " + atOnce, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "puma", Stop: unix.SIGTERM, Drains: true, Binds: true, Again: true,
		Programs: "puma", Second: ignored, Ready: byAck, Drained: byEnd,
	},
	{
		Name: "unicorn", Stop: unix.SIGQUIT, Drains: true, Binds: true, Again: true,
		Programs: "unicorn, unicorn_rails", Second: atOnce + ", as of the first", Ready: byUp, Drained: byEnd,
	},
	{
		Name: "clockwork", Stop: unix.SIGTERM, Again: true, Alone: true,
		Programs: "clockwork", Second: ignored, Ready: byUp, Drained: byEnd,
	},
	{
		// TERM to the whole group would kill its children and their jobs (P40).
		Name: "celery", Stop: unix.SIGTERM, Drains: true,
		Programs: "celery worker", Second: atOnce, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "celery-beat", Stop: unix.SIGTERM, Again: true, Alone: true,
		Programs: "celery beat, celery worker -B", Second: ignored, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "rq", Stop: unix.SIGTERM, Drains: true, Jobs: true,
		Programs: "rq worker, rqworker", Second: atOnce, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "gunicorn", Stop: unix.SIGTERM, Drains: true, Binds: true, Again: true, Early: true,
		Programs: "gunicorn", Second: ignored, Ready: byUp + " of a worker (its master says it before any has loaded the program)", Drained: byEnd,
	},
	{
		Name: "uvicorn", Stop: unix.SIGTERM, Drains: true, Binds: true, Again: true,
		Programs: "uvicorn", Second: ignored, Ready: byUp, Drained: byEnd,
	},
	{
		Name: "nginx", Stop: unix.SIGQUIT, Drains: true, Binds: true, Again: true,
		Programs: "nginx, openresty", Second: atOnce + ", as of the first", Ready: byUp, Drained: byEnd,
	},
	{
		Name: "php-fpm", Stop: unix.SIGQUIT, Drains: true, Binds: true, Again: true,
		Programs: "php-fpm", Second: atOnce + ", as of the first", Ready: byUp, Drained: byEnd,
	},
	{
		Name: "apache", Stop: unix.SIGWINCH, Drains: true, Binds: true, Again: true,
		Programs: "apache2, httpd, apachectl, apache2-foreground", Second: atOnce + ", as of the first", Ready: byUp, Drained: byEnd,
	},
	{
		// What a second TERM does is the program's own affair.
		Name: "node", Stop: unix.SIGTERM, Drains: true,
		Programs: "node", Second: "by the program", Ready: byUp, Drained: byEnd,
	},
	{
		// A launcher below has a plan, children and a budget of its own.
		Name: "launcher", Quiet: unix.SIGTSTP, Stop: unix.SIGTERM, Again: true,
		Programs: "launcher run, start, exec", Second: ignored, Ready: byUp, Drained: byEnd,
	},
}

// Servers is the table of what is known, in the order in which it is shown.
func Servers() []Server { return append([]Server(nil), servers[:]...) }

// serverNamed is the row of the table called name.
func serverNamed(name string) (Server, bool) {
	for _, s := range servers {
		if s.Name == name {
			return s, true
		}
	}
	return Server{}, false
}

// Busy reads sidekiq's title: "sidekiq 6.4.1 app [3 of 10 busy] stopping" is 3
// of 10, and stopping. ok is false for any other title. A title is 5 to 10 s
// old (P54).
func Busy(title string) (busy, total int, stopping, ok bool) {
	head, tail, found := strings.Cut(title, " busy]")
	open := strings.LastIndexByte(head, '[')
	if !found || open < 0 || !strings.HasPrefix(title, "sidekiq") {
		return 0, 0, false, false
	}
	of, all, found := strings.Cut(head[open+1:], " of ")
	busy, err := strconv.Atoi(of)
	total, err2 := strconv.Atoi(all)
	if !found || err != nil || err2 != nil {
		return 0, 0, false, false
	}
	return busy, total, strings.Contains(tail, "stopping"), true
}
