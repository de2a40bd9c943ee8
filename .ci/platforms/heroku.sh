#!/usr/bin/env bash
# examples/heroku as a dyno runs it: the Procfile's line by bash, DYNO, the env of
# app.json, and SIGTERM to every process at once. There is no Heroku here; this is
# what is known of it.
#
#	.ci/platforms/heroku.sh
#
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/jobs.sh"

# shellcheck disable=SC2086 # a list of names
need $JOBS_PACKAGES
in_private "$@"

APP=$WORK/app
EXAMPLE=$TOP/examples/heroku
launcher_binary "$WORK/bin/launcher"
jobs_app "$APP"
# For bundler and a Rails app.
cat >"$WORK/bin/bundle" <<'SH'
#!/bin/sh
shift
[ "$1" != sidekiq ] || set -- "$@" -r ./worker.rb
exec "$@"
SH
chmod +x "$WORK/bin/bundle"

# dyno TYPE [VARIABLE...]: sets DYNO_PID to its first process.
dyno() {
	local line config
	line=$(sed -n "s/^$1: //p" "$EXAMPLE/Procfile")
	config=$(ruby -rjson -e 'JSON.parse(File.read(ARGV[0]))["env"].each { |k, v| puts "#{k}=#{v["value"]}" }' "$EXAMPLE/app.json")
	cd "$APP"
	# shellcheck disable=SC2086 # a list of variables
	background "$WORK/dyno.log" env -i PATH="$WORK/bin:$PATH" DYNO="$1.1" PORT=5000 $config "${@:2}" \
		unshare --pid --fork --mount --mount-proc bash -c "$line"
	DYNO_PARENT=$!
	within 5 first_process || fail "no dyno" "$WORK/dyno.log"
}
first_process() { DYNO_PID=$(cut -d ' ' -f 1 "/proc/$DYNO_PARENT/task/$DYNO_PARENT/children" | grep .); }

# term_all: as Heroku does, to every process of the dyno.
term_all() { nsenter --target "$DYNO_PID" --pid --mount sh -c 'kill -s TERM -- -1 1'; }

logged() { [ "$(grep -c "$1" "$WORK/dyno.log")" -ge "$2" ]; }
threads() { sed -n 's/^Threads:[[:space:]]*//p' "/proc/$DYNO_PID/status"; }

jobs_begin 0.3
dyno worker
within 30 logged 'READY=1' 2 || fail "two Sidekiqs do not start" "$WORK/dyno.log"
jobs_go_on
term_all
sleep 0.2
term_all
status=0
wait "$DYNO_PARENT" || status=$?
same "$status" 0 "SIGTERM to every process, twice: the dyno ends with 0"
[ "$(grep -c -E 'starting, started' "$WORK/dyno.log")" = 2 ] || fail "something was started again" "$WORK/dyno.log"
same "$(grep -c TSTP "$WORK/dyno.log" || true)" 0 "nobody is quieted when it is too late for that"

# What is not done is done by the next dyno, as after a daily restart.
dyno worker WORKERS=1
jobs_go_on
one=$(threads)
jobs_end
term_all
wait "$DYNO_PARENT" || fail "the next dyno ends with $?" "$WORK/dyno.log"

# Of 256 threads (Eco, Basic, Standard-1X).
printf '#!/bin/sh\nexec sleep 1000\n' >"$WORK/bin/bundle"
dyno worker WORKERS=100
within 20 logged 'starting, started' 100 || fail "100 processes do not start" "$WORK/dyno.log"
sleep 1
many=$(threads)
say "the launcher has $one threads with 1 child, $many with 100"
[ $((one > many ? one : many)) -le 16 ] || fail "more than 16 of a dyno's 256"
ok "at most 16 of a dyno's 256 threads"
