#!/bin/sh
# Stands for a scheduler: leaves TERM alone, and so ends at once.
while :; do
	date '+tick at %H:%M:%S'
	sleep 5
done
