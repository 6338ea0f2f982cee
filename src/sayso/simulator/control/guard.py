"""Who may control this simulator: its own pages and local programs, no page of another site."""

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sayso.simulator.config import SimulatorConfig


def stranger(request: web.Request, config: SimulatorConfig) -> str | None:
    """Say why a call is refused: a foreign ``Origin``, or a ``Host`` that is not this machine (DNS rebinding).

    A page of another site may have its name point to 127.0.0.1; its Host header still says that name.
    """
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return f"the page {origin} may not control this simulator"
    name = urlsplit(f"//{request.host}").hostname or ""
    if _is_local(name) or name in (config.host, *config.allow_hosts):
        return None
    return (
        f"this simulator does not answer to the name {name}; start it with --allow-host {name} if it should"
    )


def guarded(config: SimulatorConfig) -> Middleware:
    """Build the middleware that refuses strangers, 403, at the page and the control API; Graph has its tokens."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in ("/", "/desk", "/_sim") or request.path.startswith("/_sim/"):
            why_not = stranger(request, config)
            if why_not is not None:
                return web.json_response({"error": why_not}, status=403)
        return await handler(request)

    return guard


def _is_local(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
