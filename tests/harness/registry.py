"""Templates from both sides: definitions in a folder of ours, and Meta's moderator at the simulator's desk."""

from pathlib import Path
from typing import Any

import aiohttp

from harness.service import Api
from harness.waiting import eventually
from harness.world import World

OPERATOR = ("templates:read", "templates:write", "admin")

#: A template of the tests' own, with names for its variables.
ORDER = '''
category = "utility"
examples = { customer = "Ana", order = "A-1017" }

[languages.en]
header = "Your order today"
body = """
Hi {{customer}},

your order {{order}} is ready to be fetched."""
footer = "Reply STOP to opt out"
buttons = [
  { reply = "On my way" },
  { link = "Track", url = "https://example.org/o/{{1}}", example = "https://example.org/o/A-1017" },
]

[languages.de]
header = "Ihre Bestellung heute"
body = """
Hallo {{customer}},

Ihre Bestellung {{order}} liegt zur Abholung bereit."""
footer = "Mit STOP abbestellen"
buttons = [
  { reply = "Bin unterwegs" },
  { link = "Verfolgen", url = "https://example.org/o/{{1}}", example = "https://example.org/o/A-1017" },
]
'''


def write(folder: Path, **files: str) -> Path:
    """Definitions in a folder: ``order_ready=…`` is ``order_ready.toml``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


def operator(world: World) -> Api:
    """The service as an operator sees it."""
    return world.api.as_(user="op", client="operations", scopes=OPERATOR)


async def desk(world: World, method: str, path: str, body: Any = None) -> Any:
    """One call of the simulator's control API."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{world.sim.base_url}/_sim{path}", json=body) as answer,
    ):
        told = await answer.json()
        assert answer.status == 200, told
        return told


async def at_meta(world: World, name: str, language: str = "en") -> dict[str, Any]:
    """A template as Meta has it."""
    listed = (await desk(world, "GET", "/templates"))["templates"]
    found: dict[str, Any] = next(
        each for each in listed if (each["name"], each["language"]) == (name, language)
    )
    return found


async def moderate(world: World, name: str, action: str, body: Any = None, *, language: str = "en") -> Any:
    """Let Meta's moderator do something to a template."""
    template = await at_meta(world, name, language)
    return await desk(world, "POST", f"/templates/{template['id']}/{action}", body)


async def pushed(world: World, name: str, body: Any = None) -> list[dict[str, Any]]:
    """Push one template; what became of each language."""
    options = {} if body is None else {"json": body}
    status, told = await operator(world).call("PUT", f"/templates/{name}", **options)
    assert status == 200, told
    results: list[dict[str, Any]] = told["results"]
    return results


async def mirrored(world: World, name: str, language: str = "en") -> dict[str, Any] | None:
    """A template as our mirror has it."""
    status, told = await operator(world).call("GET", f"/templates/{name}")
    if status != 200:
        return None
    return next((each for each in told["languages"] if each["language"] == language), None)


async def becomes(world: World, name: str, language: str = "en", **wanted: Any) -> dict[str, Any]:
    """Wait until our mirror has these values of a template; all of it then."""

    async def look() -> dict[str, Any] | None:
        found = await mirrored(world, name, language)
        return found if found and all(found[key] == value for key, value in wanted.items()) else None

    found = await eventually(look, f"{name} ({language}) being {wanted}")
    assert found is not None
    return found


async def heard(world: World, kind: str) -> list[dict[str, Any]]:
    """What was told of templates: the events' data, in the order of their ids."""
    rows = await world.rows("SELECT data FROM events WHERE type = $1 ORDER BY id", kind)
    return [row["data"] for row in rows]


async def alerts(world: World, *, about: str) -> list[dict[str, Any]]:
    """Open alerts whose key begins so."""
    return await world.rows(
        "SELECT key, severity, title, detail, advice FROM alerts WHERE resolved_at IS NULL AND starts_with(key, $1)",
        about,
    )
