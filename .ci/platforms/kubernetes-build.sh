#!/usr/bin/env bash
# Builds Kubernetes from the Go module proxy, into $PLAT/k8s/bin; does nothing where
# it is there.
#
#	.ci/platforms/kubernetes-build.sh [PROGRAM...]
#
# With no PROGRAM the kubelet alone, in some three minutes; kubernetes.sh needs all.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

VERSION=v1.34.4
SOURCE=$PLAT/k8s/build-$VERSION
export CGO_ENABLED=0 GOFLAGS=-mod=mod

# module: one of our own with upstream's pins. Its staging modules are v0.0.0 there,
# replaced by directories; they are published as v0.34.4.
module() {
	[ ! -e "$SOURCE/go.mod" ] || return 0
	local gomod staged
	mkdir -p "$SOURCE"
	cd "$SOURCE"
	gomod=$(cd / && go mod download -json "k8s.io/kubernetes@$VERSION" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
	sed 's#^module k8s.io/kubernetes#module kubernetes#' "$gomod" >new.mod
	while read -r staged; do
		go mod edit -dropreplace="$staged" -require="$staged@v0.${VERSION#v1.}" -replace="$staged=$staged@v0.${VERSION#v1.}" new.mod
	done < <(sed -n 's#^[[:space:]]*\(k8s.io/[a-z0-9-]*\) v0.0.0\( .*\)\?$#\1#p' "$gomod" | sort -u)
	go mod edit -require="k8s.io/kubernetes@$VERSION" new.mod
	mv new.mod go.mod
}

build() {
	local program=$1 at=k8s.io/component-base/version
	[ ! -x "$PLAT/k8s/bin/$program" ] || return 0
	module
	cd "$SOURCE"
	mkdir -p "$PLAT/k8s/bin"
	go build -trimpath -o "$PLAT/k8s/bin/" \
		-ldflags "-s -w -X $at.gitVersion=$VERSION -X $at.gitMajor=1 -X $at.gitMinor=$(echo $VERSION | cut -d. -f2)" \
		"k8s.io/kubernetes/cmd/$program" >"$SOURCE/$program.log" 2>&1
}

for program in "${@:-kubelet}"; do
	locked k8s build "$program" || fail "cannot build $program" "$SOURCE/$program.log"
done
ok "Kubernetes $VERSION: ${*:-kubelet}"
