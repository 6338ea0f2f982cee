"""Whatever stands in whatever place of a message, it is taken or refused with a Graph error, never anything else."""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import SimulatorConfig
from sayso.simulator.errors import GraphError
from sayso.simulator.outgoing.message import check_envelope, quote_of, read_content
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.content import Content
from sayso.simulator.world.world import World
from simulator.sheet import (
    test_asking,
    test_buttons_and_lists,
    test_cards_and_shops,
    test_envelope_and_text,
    test_media,
    test_places_and_people,
)
from simulator.sheet.test_examples import EXAMPLES

if TYPE_CHECKING:
    from simulator.conftest import Graph

MODULES = (
    test_asking,
    test_buttons_and_lists,
    test_cards_and_shops,
    test_envelope_and_text,
    test_media,
    test_places_and_people,
)
FINE: dict[str, dict[str, Any]] = {
    **EXAMPLES,
    **{f"{module.__name__}: {case}": body for module in MODULES for case, body in module.FINE.items()},
}
#: What nobody means, one of each kind of JSON.
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    "",
    " ",
    "x",
    "x" * 5000,
    "[",
    "{}",
    [],
    [None],
    [[]],
    {},
    {"a": 1},
)
#: Codes with which a message is refused for what it says (5.3).
FOR_ITS_SHAPE = {100, 131008, 131009, 131051, 131215, 134011}
#: Objects whose keys are the business's own, and the one that a client is known to add to.
FREE = ("flow_action_payload/data", "parameters/values", "send_location")

WORLD = World(SimulatorConfig(), Clock())
PERSON = WORLD.person("15550001111")


def read(body: dict[str, Any]) -> Content:
    """Check a message as a send does, without sending it."""
    given = {"messaging_product": "whatsapp", "to": "+15550001111", **body}
    check_envelope(given)
    content = read_content(given, WORLD, WORLD.number, PERSON)
    quote_of(given)
    return content


def refused(body: dict[str, Any]) -> GraphError | None:
    """Tell how a message is refused, None when it is taken."""
    try:
        read(body)
    except GraphError as refusal:
        return refusal
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Walk the path of everything in a message."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def at(body: dict[str, Any], path: tuple[Any, ...]) -> Any:
    found: Any = body
    for key in path:
        found = found[key]
    return found


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(body)
    at(made, path[:-1])[path[-1]] = value
    return made


@pytest.mark.parametrize("case", FINE)
def test_anything_anywhere_is_taken_or_refused(case: str) -> None:
    for path in places(FINE[case]):
        for odd in ODD:
            refusal = refused(changed(FINE[case], path, odd))
            assert refusal is None or (refusal.code in FOR_ITS_SHAPE and refusal.details), (path, odd)


@pytest.mark.parametrize("case", FINE)
def test_a_key_unknown_is_named_wherever_it_is_but_null_is_nothing(case: str) -> None:
    body = FINE[case]
    kind = (body.get("type") or "text").lower()
    for path in places(body):
        found = at(body, path)
        if not isinstance(found, dict) or path[0] not in (kind, "context") or _is_free(body, path):
            continue
        assert read(changed(body, (*path, "zzz"), None)) == read(body), path
        refusal = refused(changed(body, (*path, "zzz"), 1))
        assert refusal is not None, path
        assert (refusal.code, 'Unexpected key "zzz" on param' in refusal.details) == (100, True), path


def _is_free(body: dict[str, Any], path: tuple[Any, ...]) -> bool:
    joined = "/".join(str(key) for key in path)
    named = at(body, path[:-1]).get("name") if path[-1] == "parameters" else None
    return joined.endswith(FREE) or named == "send_location"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"7", b'{"type":NaN}', b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"\xff{}"],
)
async def test_what_is_no_json_object_is_refused_as_such(graph: "Graph", raw: bytes) -> None:
    headers = {"Authorization": "Bearer sim-token", "Content-Type": "application/json"}
    answer = await graph.call("POST", "/v25.0/100000000000001/messages", headers=headers, data=raw)
    assert (answer.status, answer.code) == (400, 100)
