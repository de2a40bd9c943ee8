# One worker: a second that is still booting can miss the signal of its own master.
worker_processes 1
timeout 60
