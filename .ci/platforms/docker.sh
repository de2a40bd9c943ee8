#!/usr/bin/env bash
# examples/docker under dockerd: images, HEALTHCHECK, stop with Sidekiq at work,
# memory limits.
#
#	.ci/platforms/docker.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engines.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/shown.sh"
. "$(dirname "$0")/engine.sh"

# shellcheck disable=SC2086 # a list of names
need docker.io containerd runc iptables curl $JOBS_PACKAGES
debian_root bookworm
in_private "$@"

alone docker
private_run
export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_BUILDKIT=0
BASE=launcher-debian:bookworm
mkdir -p "$PLAT/docker" "$WORK/docker"
cat >"$WORK/containerd.toml" <<T
version = 2
root = "$PLAT/docker/containerd"
state = "$WORK/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$WORK/containerd.sock"
T
at_end 'within 5 empty_cgroups docker'
background "$WORK/containerd.log" containerd --config "$WORK/containerd.toml"
within 20 test -S "$WORK/containerd.sock" || fail "containerd does not start" "$WORK/containerd.log"
nofile=$(ulimit -Hn)
background "$WORK/dockerd.log" dockerd --data-root "$PLAT/docker/data" --exec-root "$WORK/docker" --pidfile "$WORK/docker.pid" \
	--host "$DOCKER_HOST" --containerd "$WORK/containerd.sock" --default-ulimit "nofile=$nofile:$nofile" --oom-score-adjust 0
within 30 docker version || fail "dockerd does not start" "$WORK/dockerd.log"
at_end 'command docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1; docker image prune -f >/dev/null 2>&1'
command docker image inspect $BASE >/dev/null 2>&1 || tar -C "$ROOT" -c . | command docker import - $BASE >/dev/null
say "docker $(command docker version --format '{{.Server.Version}}')"

docker() {
	local command=$1
	shift
	case $command in
	build) set -- --network none --build-arg "BASE=$BASE" "$@" ;;
	esac
	command docker "$command" "$@"
}
goes_healthy() { within 60 is "$1" Health.Status healthy || fail "$1 does not go healthy: $(docker inspect --format '{{json .State.Health}}' "$1")"; }

tree
web
worker
leaks_end
all_shown $README
