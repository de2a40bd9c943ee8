"""A job that tells Redis when it begins and when it is done."""
import os
import time

import redis


def job(id, seconds):
    store = redis.Redis(unix_socket_path=os.environ["REDIS_SOCKET"])
    store.rpush("started", id)
    time.sleep(seconds)
    store.rpush("done", id)
