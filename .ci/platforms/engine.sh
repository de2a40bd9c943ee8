# shellcheck shell=bash
# examples/docker under a real engine. Sourced by podman.sh and docker.sh, which
# start theirs and define `docker`, after lib.sh, jobs.sh and shown.sh.

README=examples/docker/README.md

# running NAME / healthy NAME / state NAME FIELD
state() { docker inspect --format "{{.State.$2}}" "$1"; }
is() { [ "$(state "$1" "$2")" = "$3" ]; }
answers() { curl -sf -m 2 "$1"; }
says() { docker logs "$1" 2>&1 | grep -q -- "$2"; }

# put_away NAME: a stopped container; its log stays for a look when all fails.
put_away() {
	docker logs "$1" >"$WORK/$1.log" 2>&1 || true
	docker rm -f "$1" >/dev/null
}

# locked_in NAME: no root, no capability, nothing to write to, no shell to use.
locked_in() {
	local pid child
	pid=$(state "$1" Pid)
	# Looked at from outside, as there is nothing inside to look with.
	for child in $pid $(cat "/proc/$pid/task/"*/children); do
		grep -q '^Uid:	65532	65532	65532	65532$' "/proc/$child/status" || fail "$1: $(tr '\0' ' ' <"/proc/$child/cmdline") is not of user 65532"
	done
	same "$(awk '/^CapPrm|^CapBnd|^NoNewPrivs/ { printf "%s ", $2 }' "/proc/$pid/status")" \
		"0000000000000000 0000000000000000 1 " "$1: not root, no capabilities, no new privileges"
	awk '$5 == "/" && $6 ~ /^ro(,|$)/ { ro = 1 } END { exit !ro }' "/proc/$pid/mountinfo" || fail "$1: its root can be written to"
	ok "$1: its root is read-only"
}

# web: the image from scratch.
web() {
	shown $README 'make build' >"$WORK/build.log" 2>&1 || fail "make build" "$WORK/build.log"
	shown $README 'CGO_ENABLED=0 go build -trimpath -o examples/docker/app ./examples/docker'
	shown $README 'cp build/launcher examples/docker/'
	shown $README 'docker build -t example-web examples/docker' >"$WORK/build.log" 2>&1 || fail "docker build" "$WORK/build.log"
	shown $README 'docker run -d --name web --read-only --cap-drop ALL --security-opt no-new-privileges -p 8080:8080 -p 7433:7433 example-web' >/dev/null
	at_end 'docker rm -f web >/dev/null 2>&1'
	within 20 answers http://localhost:8080/ || {
		put_away web
		fail "web does not answer" "$WORK/web.log"
	}
	same "$(shown $README 'curl -s http://localhost:8080/')" "web.1, index 0" "web answers"
	same "$(shown $README 'curl -s http://localhost:7433/readyz')" ok "its health endpoint says ready"
	shown $README 'docker exec web launcher status' | grep -q '^web.1 *ready' || fail "launcher status in the container"
	ok "docker exec web launcher status"
	! docker exec web sh -c true >/dev/null 2>&1 || fail "there is a shell in the image"
	ok "there is no shell in the image"
	locked_in web
	goes_healthy web
	same "$(shown $README "docker inspect --format '{{.State.Health.Status}}' web")" healthy "the HEALTHCHECK goes healthy"
	local begun=$SECONDS
	shown $README 'docker stop web' >/dev/null
	same "$(shown $README "docker inspect --format '{{.State.ExitCode}}' web")" 0 "docker stop web: status 0, $((SECONDS - begun)) s"
	put_away web
}

# worker: Debian and Sidekiq, with jobs all the while.
worker() {
	shown $README 'cp build/launcher examples/docker/sidekiq/'
	shown $README 'docker build -t example-worker examples/docker/sidekiq' >"$WORK/build.log" 2>&1 || fail "docker build" "$WORK/build.log"
	leaks
	jobs_begin 0.3
	at_end 'docker rm -f worker >/dev/null 2>&1'
	run_worker
	jobs_go_on
	locked_in worker
	goes_healthy worker
	same "$(state worker Health.Status)" healthy "the HEALTHCHECK of Sidekiqs at work goes healthy"
	local begun=$SECONDS
	docker stop worker >/dev/null
	stopped_well "docker stop with Sidekiqs at work, $((SECONDS - begun)) s"
	put_away worker

	run_worker
	jobs_go_on
	shown $README 'docker exec worker launcher quiet --wait=20s' >/dev/null || fail "launcher quiet --wait=20s"
	same "$(redis-cli llen started)" "$(redis-cli llen 'done')" "launcher quiet --wait: no job is running when it returns"
	shown $README 'docker stop worker' >/dev/null
	stopped_well "docker stop of quieted Sidekiqs"
	put_away worker

	run_worker
	jobs_end
	docker stop worker >/dev/null
	put_away worker
}
run_worker() {
	shown $README 'docker run -d --name worker --read-only --cap-drop ALL --security-opt no-new-privileges --network host -e REDIS_URL=redis://127.0.0.1:6379 -e COUNT=2 -e LAUNCHER_BUDGET=30s --stop-timeout 35 example-worker' >/dev/null
}
stopped_well() {
	is worker ExitCode 0 || {
		put_away worker
		fail "$1: not status 0" "$WORK/worker.log"
	}
	same "$(redis-cli llen started)" "$(redis-cli llen 'done')" "$1: status 0, each job that was begun is done"
}

# leaks: workers that leak under a memory limit, one of them guarded. They take
# their time.
leaks() {
	mkdir "$WORK/leak"
	cat >"$WORK/leak/Procfile" <<-'T'
		leak: ruby leak.rb
		calm: ruby -e "trap(:TERM) { exit }; sleep"
	T
	# 80 MB at once, then slowly, so that the next one is ready before it is due; TERM
	# ends it well.
	cat >"$WORK/leak/leak.rb" <<-'T'
		trap("TERM") { $stderr.write("leak ends well\n"); exit! 0 }
		kept = "x" * 80_000_000
		loop { kept << "x" * (Integer(ENV["LEAK"]) * 100_000); sleep 0.1 }
	T
	chmod -R a+rX "$WORK/leak"
	at_end 'docker rm -f guarded unguarded >/dev/null 2>&1'
	leak guarded -e LEAK=1 -e LAUNCHER_MEMORY_GUARD=70%
	leak unguarded -e LEAK=50
}
leak() {
	local name=$1
	shift
	docker run -d --name "$name" --memory 160m --memory-swap 160m --read-only --user 65532:65532 -v "$WORK/leak:/work:ro" -w /work \
		"$@" example-worker leak calm >/dev/null
}
# oom_kills NAME: how often the kernel killed in its cgroup.
oom_kills() {
	local pid cgroup
	pid=$(state "$1" Pid)
	cgroup=$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")
	if [ -n "$cgroup" ]; then
		sed -n 's/^oom_kill //p' "/sys/fs/cgroup/memory$cgroup/memory.oom_control"
	else
		sed -n 's/^oom_kill //p' "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/memory.events"
	fi
}

# leaks_end: one was prevented, and the other is told.
leaks_end() {
	within 60 says guarded 'leak ends well' || {
		put_away guarded
		fail "the memory guard replaced nothing" "$WORK/guarded.log"
	}
	same "$(oom_kills guarded)" 0 "--memory-guard: the largest is replaced before the kernel kills"
	within 60 says unguarded 'leak.1 .*OOM' || {
		put_away unguarded
		fail "an OOM kill is not told" "$WORK/unguarded.log"
	}
	ok "without it the launcher says that it was the OOM killer"
	! says unguarded 'calm.1 .*-> waiting' || fail "calm did not survive its neighbour's OOM"
	ok "the other process and the launcher live on"
	put_away guarded
	put_away unguarded
}
