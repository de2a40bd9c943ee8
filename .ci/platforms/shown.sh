# shellcheck shell=bash
# The commands of a README, run as they stand there. Sourced after lib.sh.

# tree: a copy of this tree at $WORK/tree, where a README's commands leave what
# they make; we go there.
tree() {
	mkdir -p "$WORK/tree"
	tar -C "$TOP" --exclude=./.git --exclude=./build -c . | tar -C "$WORK/tree" -x
	cd "$WORK/tree" || exit
}

# shown README COMMAND: runs a command, which must stand in it.
shown() {
	grep -qxF -- "\$ $2" "$1" || fail "$1 has no line '\$ $2'"
	echo "$2" >>"$WORK/shown"
	eval "$2"
}

# all_shown README: each of its commands was run.
all_shown() {
	local line
	while IFS= read -r line; do
		grep -qxF -- "$line" "$WORK/shown" || fail "$1: not run: $line"
	done < <(sed -n 's/^\$ //p' "$1")
	ok "every command of $1 was run"
}
