"""An app that counts: every request it runs is a line in the file that COUNT names, however it is answered."""

import os

_counts = os.open(os.environ["COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def wsgi(environ, start_response):  # type: ignore[no-untyped-def]
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    os.write(_counts, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}\n".encode())
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):  # type: ignore[no-untyped-def]
    if scope["type"] != "http":
        raise RuntimeError("HTTP only")
    while (await receive()).get("more_body"):
        pass
    os.write(_counts, f"{scope['method']} {scope['path']}\n".encode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
