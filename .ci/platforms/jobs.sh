# shellcheck shell=bash
# Sidekiq at work: a Redis on 127.0.0.1:6379 of our private network, jobs that are
# sent all the time, and the count at the end. Sourced after lib.sh.

# shellcheck disable=SC2034 # for need
JOBS_PACKAGES="redis-server redis-tools ruby-sidekiq"

# jobs_app DIR: what the jobs do, as ./worker.rb there.
jobs_app() { install -D -m 644 "$TOP/cmd/launcher/testdata/servers/sidekiq/worker.rb" "$1/worker.rb"; }

# jobs_begin SECONDS: Redis, and 20 jobs a second from now on, of so long each.
jobs_begin() {
	background "$WORK/redis.log" redis-server --port 6379 --bind 127.0.0.1 --save '' --dir "$WORK"
	within 10 redis-cli ping || fail "no Redis" "$WORK/redis.log"
	cat >"$WORK/send.rb" <<-'RUBY'
		require "sidekiq"
		ended = false
		trap("TERM") { ended = true }
		until ended
		  id = Sidekiq.redis { |r| r.incr("sent") }
		  Sidekiq::Client.push("class" => "Job", "args" => [id, Float(ARGV[0])], "retry" => 0)
		  sleep 0.05
		end
	RUBY
	background "$WORK/send.log" ruby "$WORK/send.rb" "$1"
	SENDER=$!
}

# jobs_go_on: jobs are done just now.
jobs_go_on() {
	local before
	before=$(redis-cli llen 'done')
	within 20 more_done "$before" || fail "no job is done any more" "$WORK/send.log"
}
more_done() { [ "$(redis-cli llen 'done')" -gt "$1" ]; }

# jobs_end: no more are sent; each that was is done once.
jobs_end() {
	local sent again
	put_down "$SENDER"
	sent=$(redis-cli get sent)
	[ "$sent" -gt 0 ] || fail "no job was sent" "$WORK/send.log"
	within 60 all_done "$sent" ||
		fail "$sent jobs sent, $(redis-cli llen started) started, $(redis-cli llen 'done') done"
	again=$(redis-cli lrange 'done' 0 -1 | sort | uniq -d | wc -l)
	[ "$again" = 0 ] || fail "$again jobs were done twice"
	ok "$sent jobs: all done, none twice"
}
all_done() { [ "$(redis-cli lrange 'done' 0 -1 | sort -u | wc -l)" = "$1" ]; }
