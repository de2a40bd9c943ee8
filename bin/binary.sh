# shellcheck shell=sh
# Sets launcher to the binary for this machine, which lies beside the scripts.
# They set here, the directory of both.
machine=$(uname -m)
case $machine in
x86_64 | amd64) launcher=${here:?}/launcher-amd64 ;;
aarch64 | arm64) launcher=${here:?}/launcher-arm64 ;;
*) launcher=${here:?}/launcher-$machine ;;
esac
if [ ! -x "$launcher" ]; then
	echo " !     launcher's buildpack has no binary for $machine: there is no $launcher." >&2
	echo " !     A source checkout has none. make package makes the buildpack with its" >&2
	echo " !     binaries, build/package: use the .tgz or linux/ARCH in there." >&2
	exit 1
fi
