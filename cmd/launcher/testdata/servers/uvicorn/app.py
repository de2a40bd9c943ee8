"""/slow tells that it has begun, and takes three seconds."""
import asyncio
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    if scope["path"] == "/slow":
        open(os.path.join(os.environ["STATE"], "started"), "w").close()
        await asyncio.sleep(3)
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"finished\n"})
