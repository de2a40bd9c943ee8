#!/usr/bin/env bash
# The buildpack by Cloud Native Buildpacks' own lifecycle and pack, made from the Go
# module proxy: the tests of packaging that want them.
#
#	.ci/platforms/buildpack.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LIFECYCLE=v0.21.0
PACK=v0.40.0
TOOLS=$PLAT/buildpack-$LIFECYCLE-$PACK

# build MODULE PATH...: its programs. As the main module, for pack replaces one of
# its requirements.
build() {
	local dir
	dir=$(cd / && go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
	[ -d "$dir" ] || return 1
	shift
	cd "$dir"
	CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags '-s -w' -o "$TOOLS/" "$@"
}
build_all() {
	[ ! -x "$TOOLS/pack" ] || return 0
	say "building lifecycle $LIFECYCLE and pack $PACK, once"
	mkdir -p "$TOOLS"
	(build "github.com/buildpacks/lifecycle@$LIFECYCLE" ./cmd/lifecycle ./cmd/launcher && build "github.com/buildpacks/pack@$PACK" .) \
		>"$PLAT/buildpack.log" 2>&1
}

locked buildpack build_all || fail "cannot build them" "$PLAT/buildpack.log"
in_private "$@"

# Where nobody, as whom the lifecycle runs, can reach it.
cp -r "$TOOLS" "$WORK/tools"
chmod -R a+rX "$WORK"
cd "$TOP"
CNB_LIFECYCLE_DIR=$WORK/tools PACK_BIN=$WORK/tools/pack PACK_HOME=$WORK/pack \
	go test -count=1 -v -run '^Test(Lifecycle|Pack)$' ./packaging >"$WORK/test.log" 2>&1 || fail "the tests of packaging" "$WORK/test.log"
for name in Lifecycle Pack; do
	grep -q "^--- PASS: Test$name " "$WORK/test.log" || fail "Test$name was not run" "$WORK/test.log"
	ok "Test$name"
done
