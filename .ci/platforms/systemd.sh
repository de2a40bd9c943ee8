#!/usr/bin/env bash
# examples/systemd under a systemd that runs as PID 1, with Sidekiq at work.
#
#	.ci/platforms/systemd.sh [SUITE]
#
# With no SUITE the machine's files are those of this one, under an overlay; else
# of that Debian, made by debootstrap: `systemd.sh trixie` has notify-reload.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/machine.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/shown.sh"

# shellcheck disable=SC2086 # lists of names
need $MACHINE_PACKAGES $JOBS_PACKAGES puma ruby-sd-notify libpam-systemd dbus-user-session
ROOT=/
[ $# = 0 ] || debian_root "$1"
in_private "$@"

UNIT=launcher@shop
README=$TOP/examples/systemd/README.md
APP=/srv/shop

# deploy NAME < Procfile: a release of it, and current leads there.
deploy() {
	local release=$MACHINE$APP/releases/$1
	mkdir -p "$release"
	cat >"$release/Procfile"
	jobs_app "$release"
	ln -sfn "$APP/releases/$1" "$MACHINE$APP/current"
}

by_user() { inside runuser -u shop -- env XDG_RUNTIME_DIR="/run/user/$(inside id -u shop)" systemctl --user "$@"; }

# setting LINE...: into the unit by a drop-in of its own.
setting() {
	mkdir -p "$MACHINE/etc/systemd/system/launcher@.service.d"
	printf '%s\n' '[Service]' "$@" >"$MACHINE/etc/systemd/system/launcher@.service.d/test.conf"
	inside systemctl daemon-reload
}

formation() { sed -i "s/^LAUNCHER_FORMATION=.*/LAUNCHER_FORMATION=$1/" "$MACHINE/etc/launcher/shop.env"; }

# pids: of the processes that the launcher runs.
pids() {
	shown "$README" "sudo launcher status --socket /run/launcher-shop/control.sock" |
		awk '$1 ~ /\./ && $2 !~ /^\(old/ { print $3 }' | sort
}

# Each of the old pids has given its place to another.
all_new() {
	[ -z "$(comm -12 <(echo "$1") <(pids))" ] || fail "$2: these are as before: $(comm -12 <(echo "$1") <(pids))"
}

journal_says() { journal $UNIT | grep -q "$1"; }
is_active() { [ "$(property $UNIT ActiveState)" = active ]; }
up_again() { [ "$(property $UNIT MainPID)" != "$1" ] && is_active; }
# shellcheck disable=SC2016 # the launcher's
sidekiqs() { echo 'worker: sidekiq -c 5 -t $STOP_TIMEOUT -r ./worker.rb'; }

machine_boot "$ROOT"
at_end "[ \$status = 0 ] || journal $UNIT | tail -n 40 >&2"
launcher_binary "$MACHINE/usr/local/bin/launcher"
# Where the commands of the README are run.
sudo() { inside "$@"; }
mkdir "$MACHINE/examples"
cp -r "$TOP/examples/systemd" "$MACHINE/examples/"
shown "$README" "sudo useradd --create-home --home-dir /srv/shop shop"
shown "$README" "sudo install -m 644 examples/systemd/launcher@.service examples/systemd/launcher@.socket /etc/systemd/system/"
shown "$README" "sudo install -D -m 640 examples/systemd/shop.env /etc/launcher/shop.env"
sidekiqs | deploy 1

verify=$(inside systemd-analyze verify --man=no $UNIT.service 2>&1 | grep -i launcher || true)
same "$verify" "" "systemd-analyze verify has nothing to say"
say "$(inside systemd-analyze security --no-pager $UNIT.service 2>/dev/null | tail -n 1)"

# A start, a reload and a restart with jobs at work.
jobs_begin 0.3
shown "$README" "sudo systemctl daemon-reload"
shown "$README" "sudo systemctl enable --now launcher@shop"
same "$(property $UNIT StatusText)" "2/2 ready" "systemctl start returns when all are ready"
jobs_go_on

first=$(property $UNIT MainPID) old=$(pids)
shown "$README" "sudo systemctl reload launcher@shop"
all_new "$old" "systemctl reload"
same "$(property $UNIT MainPID)" "$first" "systemctl reload replaces every process below the same launcher"

old=$(pids)
echo 'worker: sidekiq -r ./no-such-file.rb' | deploy bad
if inside systemctl reload $UNIT 2>/dev/null; then fail "the reload of a bad release succeeded"; fi
same "$(property $UNIT ActiveState)" active "the reload of a bad release fails, and the app stays up"
jobs_go_on

sidekiqs | deploy 2
inside systemctl reload $UNIT
all_new "$old" "the next reload"
ok "the next good release is taken up"

old=$(pids) begun=$SECONDS
shown "$README" "sudo systemctl restart launcher@shop"
[ $((SECONDS - begun)) -le 35 ] || fail "systemctl restart took $((SECONDS - begun)) s"
all_new "$old" "systemctl restart"
[ "$(property $UNIT MainPID)" != "$first" ] || fail "systemctl restart left the launcher"
ok "systemctl restart, $((SECONDS - begun)) s"
jobs_go_on

shown "$README" "sudo install -D -m 644 examples/systemd/notify-reload.conf /etc/systemd/system/launcher@.service.d/notify-reload.conf"
# From 253 on systemd can reload without a command.
if [ "$(inside systemctl --version | awk 'NR == 1 { print $2 }')" -ge 253 ]; then
	old=$(pids)
	inside systemctl daemon-reload
	inside systemctl restart $UNIT
	all_new "$old" "systemctl restart"
	old=$(pids)
	inside systemctl reload $UNIT
	all_new "$old" "systemctl reload with notify-reload"
	same "$(property $UNIT Type)" notify-reload "systemctl reload by notify-reload"
fi
rm "$MACHINE/etc/systemd/system/launcher@.service.d/notify-reload.conf"
inside systemctl daemon-reload

# A launcher that hangs, or is killed: its workers finish what they have.
setting WatchdogSec=2s RestartSec=1s
inside systemctl restart $UNIT
jobs_go_on
first=$(property $UNIT MainPID) old=$(pids)
inside kill -STOP "$first"
within 30 journal_says 'Watchdog timeout' || fail "the watchdog let a hung launcher be"
within 60 up_again "$first" || fail "not started again after the watchdog's kill"
for pid in $old; do ! inside kill -0 "$pid" 2>/dev/null || fail "$pid outlived its launcher"; done
ok "a hung launcher is killed by the watchdog, and the unit starts again"
jobs_go_on
jobs_end

# Sockets of systemd's, in the hands of puma: a client that connects 50 times a
# second is never refused, over a reload and a restart.
cat >"$WORK/client.rb" <<'RUBY'
require "socket"
answers = Hash.new(0)
ended = false
trap("TERM") { ended = true }
until ended
  begin
    UNIXSocket.open(ARGV[0]) do |s|
      s.write "GET / HTTP/1.0\r\n\r\n"
      answers[s.read[/ok \d+/] || "no answer"] += 1
    end
  rescue SystemCallError => e
    answers[e.class.to_s] += 1
  end
  sleep 0.02
end
puts answers.keys
RUBY
{
	sidekiqs
	echo "web: puma --quiet --environment production --threads 2 --bind unix:///run/shop.sock config.ru"
} | deploy web
echo 'run ->(_) { sleep 0.1; [200, {}, ["ok #{Process.pid}"]] }' >"$MACHINE$APP/releases/web/config.ru"
formation worker=1,web=2
inside systemctl stop $UNIT
shown "$README" "sudo systemctl enable --now launcher@shop.socket"
same "$(property $UNIT ActiveState)" inactive "the socket is there before the service"
background "$WORK/client" ruby "$WORK/client.rb" "/proc/$LEADER/root/run/shop.sock"
client=$!
within 60 is_active || fail "the first connection did not start the service"
inside systemctl start $UNIT
ok "the first connection starts the service"
inside systemctl reload $UNIT
inside systemctl restart $UNIT
put_down "$client"
same "$(grep -v '^ok' "$WORK/client" || true)" "" "no connection is refused or reset over systemctl reload and restart"
answered=$(grep -c '^ok' "$WORK/client")
[ "$answered" -ge 4 ] || fail "only $answered processes answered" "$WORK/client"
inside systemctl stop launcher@shop.socket

# A process that hears no TERM is killed in the launcher's budget, not by systemd.
echo "deaf: sh -c 'trap : TERM; while :; do sleep 1; done'" | deploy 3
formation deaf=1
setting Environment=LAUNCHER_BUDGET=3s TimeoutStopSec=8s Environment=LAUNCHER_READY=up:1s
inside systemctl restart $UNIT
begun=$SECONDS
inside systemctl stop $UNIT
[ $((SECONDS - begun)) -le 5 ] || fail "systemctl stop took $((SECONDS - begun)) s of a budget of 3"
journal_says 'KILL, as its time was over' || fail "the launcher did not kill who is deaf"
same "$(property $UNIT ActiveState)" inactive "systemctl stop of who hears no TERM is over within the launcher's budget"
# The unit of examples/capistrano, under the user's own systemd.
if [ "$ROOT" = / ]; then
	inside systemctl start systemd-logind
	inside loginctl enable-linger shop
	inside runuser -u shop -- mkdir -p $APP/.config/systemd/user $APP/shop/shared
	inside runuser -u shop -- ln -s "$APP/releases/2" $APP/shop/current
	install -m 644 "$TOP/examples/capistrano/launcher.service" "$MACHINE$APP/.config/systemd/user/"
	within 20 by_user is-active default.target || fail "no systemd --user"
	by_user daemon-reload
	by_user set-environment LAUNCHER_FORMATION=worker=1
	by_user start launcher
	by_user reload launcher
	same "$(by_user show --value --property StatusText launcher)" "1/1 ready" "systemctl --user start and reload of Capistrano's unit"
	by_user stop launcher
fi

all_shown "$README"
