"""How deliveries went, endpoint by endpoint: of the events told in a period. Bounded in every case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from sayso.core.database import Tx
from sayso.core.runtime import id_at
from sayso.events.rules import FAILING_AFTER
from sayso.events.service import DELIVERIES

#: The newest of a period count.
COUNTED_AT_MOST: Final = 500_000
#: Those that do worst come first.
SHOWN_AT_MOST: Final = 1_000

_PERIOD: Final = f"""
WITH period AS MATERIALIZED (
    SELECT id, endpoint_id, state, attempt, extract(epoch FROM finished_at - created_at)::float8 AS took_s
    FROM {DELIVERIES} WHERE event_id >= $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3
), deliveries AS (
    SELECT endpoint_id, count(*) FILTER (WHERE state = 'delivered') AS delivered,
        count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'pending') AS pending,
        count(*) FILTER (WHERE state = 'pending' AND attempt > 0) AS retrying,
        percentile_cont($5::float8[]) WITHIN GROUP (ORDER BY took_s) FILTER (WHERE state = 'delivered') AS took_s
    FROM period GROUP BY 1
), calls AS (
    SELECT p.endpoint_id, percentile_cont($5::float8[]) WITHIN GROUP (ORDER BY a.ms::float8) AS call_ms
    FROM period p JOIN delivery_attempts a ON a.delivery_id = p.id WHERE a.error IS NULL GROUP BY 1
)
SELECT e.id AS endpoint, e.client_id AS client,
    CASE WHEN e.state = 'enabled' AND e.failures >= {FAILING_AFTER} THEN 'failing' ELSE e.state END AS state,
    coalesce(d.delivered, 0) AS delivered, coalesce(d.failed, 0) AS failed, coalesce(d.pending, 0) AS pending,
    coalesce(d.retrying, 0) AS retrying, c.call_ms, d.took_s
FROM endpoints e LEFT JOIN deliveries d ON d.endpoint_id = e.id LEFT JOIN calls c ON c.endpoint_id = e.id
WHERE e.state <> 'deleted' OR d.endpoint_id IS NOT NULL
ORDER BY e.failures DESC, d.failed DESC NULLS LAST, e.id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class OfEndpoint:
    """One endpoint's deliveries: how many became what, and percentiles of what they took.

    ``retrying``: those pending that have been tried. ``call_ms``: of calls that succeeded. ``took_s``: from the event
    to its reception.
    """

    endpoint: str
    client: str
    state: str
    delivered: int
    failed: int
    pending: int
    retrying: int
    call_ms: list[float] | None
    took_s: list[float] | None


async def by_endpoint(
    tx: Tx, since: datetime, until: datetime, percentiles: Sequence[float]
) -> list[OfEndpoint]:
    """Every endpoint, and what became of the events told from ``since`` to before ``until``."""
    period = id_at("evt", since), id_at("evt", until)
    rows = await tx.fetch(_PERIOD, *period, COUNTED_AT_MOST, SHOWN_AT_MOST, list(percentiles))
    return [msgspec.convert(dict(row), OfEndpoint) for row in rows]
