"""`python3 send.py ID SECONDS` queues one job."""
import os
import sys

import redis
import rq

queue = rq.Queue("default", connection=redis.Redis(unix_socket_path=os.environ["REDIS_SOCKET"]))
queue.enqueue("tasks.job", sys.argv[1], float(sys.argv[2]))
