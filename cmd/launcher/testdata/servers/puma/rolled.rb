# A request that was read but waits for a thread would be lost to whoever stops.
# READY=1 comes by the gem sd_notify.
queue_requests false
threads 4, 4
