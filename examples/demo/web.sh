#!/bin/sh
# Stands for a server: prints a line per "request", and finishes the one it is at
# when TERM comes.
stop=
trap 'stop=yes' TERM
echo "listening on port ${PORT:-none} (no, not really)"
n=0
while [ -z "$stop" ]; do
	n=$((n + 1))
	echo "GET /$n 200"
	sleep 1
done
echo "TERM: the last request is answered, going"
