"""A server of HTTP made with aiohttp, that prints each request: aiohttp_server.py PORT"""

from __future__ import annotations

import json
import sys

from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    line = {"method": request.method, "target": request.path, "received": len(body)}
    print(json.dumps(line), flush=True)
    return web.Response(body=b"x" * len(request.path), status=200 if body else 404)


if __name__ == "__main__":
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
