"""One key, one effect, one answer: ``Idempotency-Key`` on the routes that create something."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Header
from starlette.responses import Response

from sayso.core.api import json_response
from sayso.core.database import Tx
from sayso.core.errors import Fault, IdempotencyMismatchError, InputInvalidError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor

#: Bare, or as the IETF draft's quoted structured-field string.
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 printable ASCII characters of your own. The same key with the same body is answered as "
        "the first time, and does nothing again; with another body it is refused.",
        examples=["7c1d2f0e-order-17"],
    ),
]
_SHAPE = re.compile(r"[\x21-\x7e]{1,255}")


async def once(
    rt: Runtime,
    actor: Actor,
    *,
    route: str,
    key: str | None,
    body: Any,
    status: int,
    create: Callable[[Tx], Awaitable[Any]],
) -> Response:
    """Run ``create`` in a transaction and answer with what it returns; the same key again replays that answer.

    ``create`` returns a body, which is answered with ``status``, or an answer of its own.

    A second call with the key while the first is under way waits for it: the key's row is locked by its
    transaction. A refused request leaves no key behind, so that it can be mended and tried again.
    Raises :class:`IdempotencyMismatchError` when the key came with another body before.
    """
    if key is None:
        async with rt.db.tx() as tx:
            return _answer(await create(tx), status)
    bare = _bare(key)
    fingerprint = _fingerprint(actor, body)
    async with rt.db.tx() as tx:
        if not await _reserve(tx, rt, actor, route, bare, fingerprint):
            return await _replay(tx, actor, route, bare, fingerprint)
        answer = _answer(await create(tx), status)
        await tx.execute(
            "UPDATE idempotency SET status = $4, body = $5 WHERE client_id = $1 AND route = $2 AND key = $3",
            actor.client_id,
            route,
            bare,
            answer.status_code,
            bytes(answer.body),
        )
    return answer


async def kept(rt: Runtime, actor: Actor, *, route: str, key: str | None, body: Any) -> Response | None:
    """The answer that is kept for a key, or None: for work in parts that are safe to do twice, before :func:`once`.

    Raises :class:`IdempotencyMismatchError` when the key came with another body before.
    """
    if key is None:
        return None
    bare = _bare(key)
    async with rt.db.one() as tx:
        there = await tx.fetchval(
            "SELECT count(*) FROM idempotency WHERE client_id = $1 AND route = $2 AND key = $3",
            actor.client_id,
            route,
            bare,
        )
        return await _replay(tx, actor, route, bare, _fingerprint(actor, body)) if there else None


async def forget(tx: Tx, ids: Sequence[str]) -> None:
    """Drop kept answers that speak of these objects; a repetition of such a request is then a new one."""
    await tx.execute(
        "DELETE FROM idempotency i USING (SELECT DISTINCT k.client_id, k.route, k.key FROM idempotency k "
        "CROSS JOIN regexp_matches(convert_from(k.body, 'UTF8'), '[a-z]+_[0-9a-z]+', 'g') AS m (id) "
        "JOIN unnest($1::text[]) AS gone (id) ON gone.id = m.id[1]) AS k "
        "WHERE (i.client_id, i.route, i.key) = (k.client_id, k.route, k.key)",
        list(ids),
    )


async def _reserve(tx: Tx, rt: Runtime, actor: Actor, *request: Any) -> bool:
    """Whether this transaction is the first with its (route, key, fingerprint); waits for one under way."""
    ours = await tx.execute(
        "INSERT INTO idempotency (client_id, route, key, fingerprint, created_at) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        actor.client_id,
        *request,
        rt.now(),
    )
    return ours == 1


async def _replay(tx: Tx, actor: Actor, route: str, key: str, fingerprint: bytes) -> Response:
    row = await tx.fetchrow(
        "SELECT fingerprint, status, body FROM idempotency WHERE client_id = $1 AND route = $2 AND key = $3",
        actor.client_id,
        route,
        key,
    )
    if row is None or row["fingerprint"] != fingerprint:
        raise IdempotencyMismatchError(
            "This Idempotency-Key was used with another body. Repeat the first body to get its answer, "
            "or use a new key for a new request."
        )
    return Response(
        row["body"],
        row["status"],
        {"cache-control": "no-store", "idempotency-replayed": "true"},
        media_type="application/json",
    )


def _answer(made: Any, status: int) -> Response:
    return made if isinstance(made, Response) else json_response(made, status)


def _fingerprint(actor: Actor, body: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode([actor.user_id, body], order="sorted")).digest()


def _bare(key: str) -> str:
    bare = key.strip()
    if len(bare) > 1 and bare[0] == bare[-1] == '"':
        bare = bare[1:-1]
    if not _SHAPE.fullmatch(bare):
        detail = "Idempotency-Key takes 1 to 255 printable ASCII characters without spaces."
        raise InputInvalidError(detail, faults=[Fault(detail)])
    return bare
