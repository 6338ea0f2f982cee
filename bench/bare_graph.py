"""The baseline of the simulator: the same HTTP server reading JSON and answering a fixed body, nothing else."""

import asyncio
import sys

import msgspec
import uvloop
from aiohttp import web

_ANSWER = (
    b'{"messaging_product":"whatsapp","contacts":[{"input":"+15550000001","wa_id":"15550000001"}],'
    b'"messages":[{"id":"wamid.HBgLMTU1NTAwMDAwMDAVAgARGBJTTUAwMDAwMDAwMDAwMDAwMDAwXAA="}]}'
)


async def answer(request: web.Request) -> web.Response:
    """Read, parse, answer."""
    msgspec.json.decode(await request.read())
    return web.Response(body=_ANSWER, content_type="application/json")


async def main() -> None:
    """Serve on a port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
