"""Endpoints: the addresses of an assistant's that events are delivered to, their secrets, and how they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.core.database import Record, Tx, written
from sayso.core.errors import NotFoundError, SaysoError
from sayso.core.runtime import Runtime
from sayso.core.telemetry import ENDPOINTS
from sayso.core.tokens import Actor
from sayso.events import alerts, sealing, service
from sayso.events.calling import Signer
from sayso.events.rules import FAILING_AFTER, Health
from sayso.events.signing import Keys, Signature

#: Endpoints of one assistant, and calls of its own a minute that it may cause: tests, verifications.
MOST: Final = 50
CALLS_A_MINUTE: Final = 60
_MINUTE: Final = timedelta(minutes=1)
#: Keys of before that sign beside the present ones: each makes a call's headers longer.
_BESIDE: Final = 10


class EndpointLimitError(SaysoError):
    """The assistant has as many endpoints as one may have; delete one that is not used."""

    status = 409
    code = "endpoint_limit"
    title = "No more endpoints"


class EndpointUnverifiedError(SaysoError):
    """The address has not shown that it is the assistant's: it has to answer the challenge first."""

    status = 409
    code = "endpoint_unverified"
    title = "The endpoint is not verified"


class TooManyCallsError(SaysoError):
    """Too many tests and verifications in a minute; nothing was called."""

    status = 429
    code = "too_many_calls"
    title = "Too many calls of endpoints"
    retryable = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint as an assistant asks for it; no ``types``: every type."""

    url: str
    description: str
    types: Sequence[str]
    subject: str | None
    operator: bool
    signatures: Sequence[Signature]

    @property
    def columns(self) -> tuple[Any, ...]:
        """As they stand in a row, in this order."""
        types, signatures = list(self.types), list(self.signatures)
        return self.url, self.description, types, self.subject, self.operator, signatures


async def create(tx: Tx, rt: Runtime, actor: Actor, wanted: Wanted) -> Record:
    """Write an endpoint that is still to be verified; raises :class:`EndpointLimitError`."""
    await count_call(tx, rt, actor.client_id)  # also makes those of one assistant wait for each other
    had = await tx.fetchval(
        "SELECT count(*) FROM endpoints WHERE client_id = $1 AND state <> 'deleted'", actor.client_id
    )
    if had >= MOST:
        raise EndpointLimitError(f"An assistant has at most {MOST} endpoints. Delete one that is not used.")
    endpoint_id, keys = rt.new_id("ep"), sealing.generate(rt)
    row = await tx.fetchrow(
        "INSERT INTO endpoints (id, client_id, url, description, types, subject, operator, signatures, secret, "
        "public_key, state, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'unverified', "
        "'the challenge was not made yet', $11) RETURNING *",
        endpoint_id,
        actor.client_id,
        *wanted.columns,
        sealing.seal(rt, endpoint_id, keys),
        keys.public_key,
        rt.now(),
    )
    return written(row)


async def count_call(tx: Tx, rt: Runtime, client_id: str) -> None:
    """Count one call that an assistant causes itself; raises :class:`TooManyCallsError`."""
    now = rt.now()
    calls = await tx.fetchval(
        "INSERT INTO endpoint_calls AS c (client_id, since, calls) VALUES ($1, $2, 1) ON CONFLICT (client_id) "
        "DO UPDATE SET since = CASE WHEN c.since <= $3 THEN $2 ELSE c.since END, "
        "calls = CASE WHEN c.since <= $3 THEN 1 ELSE c.calls + 1 END RETURNING calls",
        client_id,
        now,
        now - _MINUTE,
    )
    if calls > CALLS_A_MINUTE:
        raise TooManyCallsError(
            f"An assistant may have its endpoints called {CALLS_A_MINUTE} times a minute."
        )


async def get(tx: Tx, actor: Actor, endpoint_id: str, *, lock: bool = False, deleted: bool = False) -> Record:
    """An endpoint that the caller may see; raises :class:`NotFoundError`. ``deleted``: also one that was deleted."""
    row = await tx.fetchrow(
        f"SELECT * FROM endpoints WHERE id = $1 AND (state <> 'deleted' OR $2){' FOR UPDATE' if lock else ''}",
        endpoint_id,
        deleted,
    )
    if row is None or not actor.sees(row["client_id"]):
        raise NotFoundError(f"No endpoint {endpoint_id!r}.")
    return row


async def page(tx: Tx, client_id: str) -> list[Record]:
    """An assistant's endpoints, oldest first."""
    return await tx.fetch(
        "SELECT * FROM endpoints WHERE client_id = $1 AND state <> 'deleted' ORDER BY id", client_id
    )


async def change(tx: Tx, rt: Runtime, row: Record, wanted: Wanted) -> Record:
    """Write what an assistant asks for now; another address has been verified before."""
    moved = wanted.url != row["url"]
    changed = await tx.fetchrow(
        "UPDATE endpoints SET url = $2, description = $3, types = $4, subject = $5, operator = $6, signatures = $7 "
        "WHERE id = $1 RETURNING *",
        row["id"],
        *wanted.columns,
    )
    verified_now = moved and row["state"] == "unverified"
    return await verified(tx, rt, written(changed), None) if verified_now else written(changed)


async def verified(tx: Tx, rt: Runtime, row: Record, failure: str | None) -> Record:
    """Write what came of the challenge of an address: it is enabled, or stays as it is and says why."""
    if failure is not None:
        sql = "UPDATE endpoints SET reason = $3 WHERE id = $1 AND url = $2 RETURNING *"
        found = await tx.fetchrow(sql, row["id"], row["url"], failure)
    else:
        sql = (
            "UPDATE endpoints SET state = 'enabled', reason = NULL, verified_at = $3, failures = 0, "
            "failing_since = NULL, counting_since = NULL, to_clear = false "
            "WHERE id = $1 AND url = $2 AND state <> 'deleted' RETURNING *"
        )
        found = await tx.fetchrow(sql, row["id"], row["url"], rt.now())
        await alerts.resolve(tx, rt, _alert(row["id"]))
    return found or row  # changed or deleted meanwhile: what was asked for then has no effect


async def rotate(tx: Tx, rt: Runtime, row: Record, overlap: timedelta) -> tuple[Record, Keys]:
    """Give an endpoint new keys; the ones before sign beside them until the overlap is over, or stop at once.

    Who asks again, since an answer was lost or another overlap is meant, does not end the keys that receivers have.
    """
    keys, now = sealing.generate(rt), rt.now()
    before: list[bytes] = []
    until = None
    if overlap > timedelta(0):
        before = [row["secret"], *_before(row, now)][:_BESIDE]
        until = max(now + overlap, row["previous_until"] or now)
    changed = await tx.fetchrow(
        "UPDATE endpoints SET secret = $2, public_key = $3, previous = $4, previous_until = $5 WHERE id = $1 "
        "RETURNING *",
        row["id"],
        sealing.seal(rt, row["id"], keys),
        keys.public_key,
        before,
        until,
    )
    return written(changed), keys


def _before(row: Record, now: datetime) -> list[bytes]:
    """The keys that sign beside the present ones, newest first."""
    until = row["previous_until"]
    return [*row["previous"]] if until is not None and until > now else []


async def disable(tx: Tx, rt: Runtime, row: Record, reason: str, *, by_us: bool) -> Record:
    """Deliver nothing more; what waits ends as failed and can be replayed. ``by_us``: told, and raised as an alert."""
    changed = await tx.fetchrow(
        "UPDATE endpoints SET state = 'disabled', reason = $2, to_clear = true WHERE id = $1 RETURNING *",
        row["id"],
        reason,
    )
    if by_us:
        await tell(
            tx, rt, row, "endpoint.disabled", {"reason": reason, "failing_since": row["failing_since"]}
        )
        await alerts.raise_(
            tx,
            rt,
            _alert(row["id"]),
            severity="warning",
            title="An endpoint was disabled",
            detail=f"Events of {row['client_id']!r} are not delivered to endpoint {row['id']} any more: {reason}.",
            advice="Mend the receiver, then enable it: POST /endpoints/{id}/enable, and replay what it missed.",
        )
    tx.after_commit(lambda: rt.wakes.work(service.DELIVERIES))
    return written(changed)


async def delete(tx: Tx, rt: Runtime, row: Record) -> None:
    """Forget an endpoint and its secrets; its deliveries stay to be looked at."""
    await tx.execute(
        "UPDATE endpoints SET state = 'deleted', secret = '', previous = '{}', to_clear = true WHERE id = $1",
        row["id"],
    )
    await alerts.resolve(tx, rt, _alert(row["id"]))
    tx.after_commit(lambda: rt.wakes.work(service.DELIVERIES))


def signer(rt: Runtime, row: Record) -> Signer:
    """What a call of an endpoint is signed with now."""
    sealed = [row["secret"], *_before(row, rt.now())]
    return Signer([sealing.unseal(rt, row["id"], each) for each in sealed], row["signatures"])


def health(row: Record) -> Health:
    """How an endpoint has done since its last success."""
    return Health(row["failures"], row["failing_since"], row["counting_since"], row["last_failure_at"])


async def write_health(tx: Tx, endpoint_id: str, health: Health) -> None:
    """Keep how an endpoint does, after a failure."""
    await tx.execute(
        "UPDATE endpoints SET failures = $2, failing_since = $3, counting_since = $4, last_failure_at = $5 "
        "WHERE id = $1",
        endpoint_id,
        health.failures,
        health.first,
        health.counting,
        health.last,
    )


async def write_success(tx: Tx, endpoint_id: str, now: datetime) -> int:
    """Keep that an endpoint has taken a call, at most once a minute while all is well; its failures before."""
    failures = await tx.fetchval(
        "WITH was AS (SELECT id, failures FROM endpoints WHERE id = $1 "
        "AND (failures > 0 OR last_success_at IS NULL OR last_success_at < $3) FOR UPDATE) "
        "UPDATE endpoints p SET failures = 0, failing_since = NULL, counting_since = NULL, last_success_at = $2 "
        "FROM was WHERE p.id = was.id RETURNING was.failures",
        endpoint_id,
        now,
        now - _MINUTE,
    )
    return failures or 0


async def gauge(tx: Tx) -> None:
    """Set the gauge of endpoints by how they stand."""
    rows = await tx.fetch(
        "SELECT CASE WHEN state = 'enabled' AND failures >= $1 THEN 'failing' ELSE state END AS stands, count(*) AS n "
        "FROM endpoints WHERE state <> 'deleted' GROUP BY 1",
        FAILING_AFTER,
    )
    found = {row["stands"]: row["n"] for row in rows}
    for stands in ("enabled", "failing", "disabled", "unverified"):
        ENDPOINTS.labels(stands).set(found.get(stands, 0))


async def tell(tx: Tx, rt: Runtime, row: Record, kind: str, more: dict[str, Any]) -> None:
    """Write into the assistant's feed what became of one of its endpoints."""
    data = {"endpoint_id": row["id"], **more}
    await service.emit(tx, rt, client_id=row["client_id"], kind=kind, subject=row["id"], data=data)


def _alert(endpoint_id: str) -> str:
    return f"endpoint.disabled:{endpoint_id}"
