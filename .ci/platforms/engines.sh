# shellcheck shell=bash
# What engines share with each other, and with the machine, for all their
# namespaces. Sourced after lib.sh.

# alone NAME: one script at a time, until it ends or `shared NAME`: for the images
# that are kept in $PLAT, and for cgroups whose names an engine does not choose.
declare -A HELD=()
alone() {
	local fd
	exec {fd}>"$PLAT/lock-$1"
	flock "$fd"
	HELD[$1]=$fd
}
shared() {
	flock -u "${HELD[$1]}"
	unset "HELD[$1]"
}

# private_run: /run is ours alone, and goes with us.
RUN_IS_PRIVATE=
private_run() {
	[ -z "$RUN_IS_PRIVATE" ] || return 0
	mount -t tmpfs run /run
	RUN_IS_PRIVATE=1
}

# empty_cgroups NAME: removes that one of each hierarchy, with all below.
empty_cgroups() {
	local hierarchy left=0
	for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ ! -d "$hierarchy/$1" ] || find "$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
	done
	return $left
}
