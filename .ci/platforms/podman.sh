#!/usr/bin/env bash
# examples/docker under podman: images, HEALTHCHECK, stop with Sidekiq at work,
# memory limits.
#
#	.ci/platforms/podman.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engines.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/shown.sh"
. "$(dirname "$0")/engine.sh"
. "$(dirname "$0")/podman-engine.sh"

# shellcheck disable=SC2086 # lists of names
need $PODMAN_PACKAGES $JOBS_PACKAGES curl
debian_root bookworm
in_private "$@"

podman_start
docker() {
	local command=$1
	shift
	case $command in
	build) set -- --format docker --network none --build-arg "BASE=$BASE" "$@" ;;
	esac
	podman "$command" "$@"
}
# The clock for it would be systemd's.
goes_healthy() { within 30 podman healthcheck run "$1" || fail "$1: the HEALTHCHECK fails: $(podman healthcheck run "$1" 2>&1)"; }

tree
web
worker
leaks_end
all_shown $README
