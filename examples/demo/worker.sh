#!/bin/sh
# Stands for a job worker: takes jobs of two seconds, finishes the one it has when
# TERM comes, and breaks down at every eighth, to be started again.
stop=
trap 'stop=yes' TERM
echo "${PS:-worker}, INDEX ${INDEX:-?} of ${COUNT:-?}, has ${STOP_TIMEOUT:-?} s after TERM"
n=0
while [ -z "$stop" ]; do
	n=$((n + 1))
	if [ "$n" -gt 7 ]; then
		echo "job $n: out of luck" >&2
		exit 1
	fi
	echo "job $n: begun"
	sleep 2
	echo "job $n: done"
done
echo "TERM: nothing in hand, going"
