"""/slow tells that it has begun, by one more byte in a file, and takes three seconds."""
import os
import time


def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        with open(os.path.join(os.environ["STATE"], "started"), "a") as f:
            f.write("1")
        time.sleep(3)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"finished\n"]
