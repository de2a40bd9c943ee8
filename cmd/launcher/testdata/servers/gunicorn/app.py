"""/slow tells that it has begun, and takes three seconds."""
import os
import time


def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        open(os.path.join(os.environ["STATE"], "started"), "w").close()
        time.sleep(3)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"finished\n"]
