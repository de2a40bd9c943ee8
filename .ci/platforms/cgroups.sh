# shellcheck shell=bash
# What engines leave behind that goes with no namespace. Sourced after lib.sh.

# empty_cgroups NAME: removes that one of each hierarchy, with all below.
empty_cgroups() {
	local hierarchy left=0
	for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ ! -d "$hierarchy/$1" ] || find "$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
	done
	return $left
}
