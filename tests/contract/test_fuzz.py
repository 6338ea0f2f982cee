"""Whatever is sent to a route is answered, or told to be the caller's mistake; it is never a failure of ours."""

import json
from typing import Any

from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from harness.contract import (
    ALICE,
    ASKED,
    CALLS,
    EVERYTHING,
    Contract,
    assert_problem,
    bearer,
    scoped_routes,
)
from sayso.core.api import parameters
from sayso.core.described import codes
from sayso.core.errors import SaysoError

FUZZ = effort(
    max_examples=250,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_ODD_TEXTS = st.sampled_from([
    "", " ", "\x00", "\ud800", "\u202e", "a" * 5_000, "{{1}}", "'; DROP TABLE people; --", "null", "-1", "9" * 400,
    ALICE, "US.1",
    "US.ENT.8", "../..", "%00", "🦄" * 200, "\r\nx: y", "0", "1e999", "true",
])  # fmt: skip
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 10**400, 0.1, -0.0, 1e-300, 1e300, float("nan"), float("inf")]),
    st.text(max_size=30),
    _ODD_TEXTS,
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
#: Every field of every body, so that a mutation of one hits what the route looks at.
_FIELDS = sorted(
    {
        *ASKED,
        "recipient",
        "content",
        "message_type",
        "template",
        "phone",
        "name",
        "wording",
        "evidence",
        "scope",
        "captured_at",
        "expires_at",
        "category",
        "reason",
        "sender",
        "send_at",
        "ttl_seconds",
        "rows",
        "parameters",
        "odd",
    }
)
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    key: body for key, (_, body) in CALLS.items() if body is not None
}
_BODIES["POST", "/send "] = {
    "message_type": "template", "template": {"name": "t", "language": "en", "parameters": ["a"]}, "recipient": ALICE
}  # fmt: skip
#: Words of the libraries that read a request, none of which is to reach a caller.
JARGON = ("Input should", "Value error", "Expected `", "valid string", "pydantic", "Traceback")


def _family(kind: type[SaysoError]) -> set[str]:
    return {kind.code}.union(*(_family(each) for each in kind.__subclasses__()))


CODES = _family(SaysoError)
_ROUTES = {(method, route.path): route for route in scoped_routes() for method in route.methods or ()}
_TEMPLATES = st.fixed_dictionaries(
    {},
    optional={
        "name": _LEAVES,
        "language": _LEAVES,
        "parameters": st.lists(_LEAVES, max_size=3),
        "odd": _LEAVES,
    },
)


def _described(key: tuple[str, str]) -> APIRoute | None:
    route = _ROUTES[key[0], key[1].strip()]
    return route if codes(route) else None


def escaped(value: Any) -> bytes:
    """JSON as Python writes it: halves of characters escaped, NaN and Infinity as such."""
    return json.dumps(value).encode()


async def tolerated(
    api: Contract, method: str, path: str, *, route: APIRoute | None = None, **options: Any
) -> None:
    """An answer, or a problem of the caller's; one that the route describes, if it describes any."""
    answer = await api.call(method, path, **options)
    assert answer.status_code < 500, (method, path, options, answer.text)
    if answer.status_code >= 400:
        told = assert_problem(answer, answer.status_code, answer.json()["code"])
        assert told["code"] in (codes(route) if route is not None else CODES)
        for fault in told.get("errors", []):
            assert not any(jargon in fault["detail"] for jargon in JARGON), (method, path, options, fault)


@given(
    key=st.sampled_from(sorted(_BODIES)),
    changes=st.dictionaries(st.sampled_from(_FIELDS), st.one_of(_JSON, _TEMPLATES), min_size=1, max_size=3),
    left_out=st.sets(st.sampled_from(_FIELDS), max_size=2),
)
@FUZZ
async def test_no_body_that_is_nearly_right_is_a_failure_of_ours(
    api: Contract, key: tuple[str, str], changes: dict[str, Any], left_out: set[str]
) -> None:
    path = CALLS[key[0], key[1].strip()][0]
    body = {name: value for name, value in {**_BODIES[key], **changes}.items() if name not in left_out}
    headers = {"content-type": "application/json"}
    await tolerated(api, key[0], path, content=escaped(body), headers=headers, route=_described(key))


@given(key=st.sampled_from(sorted(_BODIES)), content=st.one_of(st.binary(max_size=200), _JSON.map(escaped)))
@FUZZ
async def test_no_body_whatever_is_a_failure_of_ours(
    api: Contract, key: tuple[str, str], content: bytes
) -> None:
    path = CALLS[key[0], key[1].strip()][0]
    headers = {"content-type": "application/json"}
    await tolerated(api, key[0], path, content=content, headers=headers, route=_described(key))


#: A route and one or more of the parameters that it takes; rarely one that it does not.
_ASKED = st.sampled_from(sorted(key for key in CALLS if key[0] == "GET")).flatmap(
    lambda key: st.tuples(
        st.just(key),
        st.lists(
            st.tuples(
                st.sampled_from([*sorted(parameters(_ROUTES[key])), "odd"]),
                st.one_of(_ODD_TEXTS, st.text(max_size=20), st.just("0.01")),
            ),
            max_size=4,
        ),
    )
)


@given(
    asked=_ASKED,
    name=st.one_of(_ODD_TEXTS, st.text(max_size=30)),
)
@FUZZ
async def test_no_address_is_a_failure_of_ours(
    api: Contract, asked: tuple[tuple[str, str], list[tuple[str, str]]], name: str
) -> None:
    key, query = asked
    from urllib.parse import quote, urlencode  # noqa: PLC0415 - only here

    path = CALLS[key][0]
    if key[1].endswith("_id}") and len(query) % 2:
        path = path.rpartition("/")[0] + "/" + quote(name, safe="", errors="surrogatepass")
    said = urlencode(
        [(k, v) for k, v in query if not (k == "wait" and v == "9" * 400)], errors="surrogatepass"
    )
    await tolerated(
        api, "GET", path.replace("{", "{{").replace("}", "}}") if "%" in path else f"{path}?{said}"
    )


@given(
    authorization=st.one_of(
        st.binary(max_size=60),
        st.text("Bearerbasic .-_=éA0\t", max_size=60).map(lambda text: text.encode("latin-1")),
    ),
    key=st.one_of(st.none(), st.binary(max_size=300)),
)
@FUZZ
async def test_no_header_is_a_failure_of_ours_and_none_lets_anybody_in(
    api: Contract, authorization: bytes, key: bytes | None
) -> None:
    clean = [(b"authorization", authorization.translate(None, b"\r\n\x00"))]
    if key is not None:
        clean.append((b"idempotency-key", key.translate(None, b"\r\n\x00")))
    answer = await api.http.post("/api/v1/whatsapp/send", headers=clean, json={"content": "x"})
    assert_problem(answer, 401, "unauthenticated")
    known = [(b"authorization", bearer(scopes=EVERYTHING).encode()), *clean[1:]]
    answer = await api.http.post("/api/v1/whatsapp/send", headers=known, json={"content": "x"})
    assert answer.status_code in (202, 422), answer.text
