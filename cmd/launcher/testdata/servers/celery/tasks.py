"""A task that tells Redis when it begins and when it is done. `python3 tasks.py ID SECONDS` sends one."""
import os
import sys
import time

import celery
import redis

path = os.environ["REDIS_SOCKET"]
app = celery.Celery("tasks", broker="redis+socket://" + path)


@app.task(name="tasks.job", ignore_result=True)
def job(id, seconds):
    store = redis.Redis(unix_socket_path=path)
    store.rpush("started", id)
    time.sleep(seconds)
    store.rpush("done", id)


if __name__ == "__main__":
    job.delay(sys.argv[1], float(sys.argv[2]))
