"""Our numbers: who they are, what holds them, what Meta last said of them. Whoever may send asks here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings
from sayso.core.telemetry import SENDER_HELD, SENDER_HOLDS, SENDER_RATE
from sayso.events import alerts
from sayso.senders import rules
from sayso.whatsapp.failures import Failure, GraphError, classify

#: A sender's row is also its next check against Meta.
QUEUE: Final = Queue("senders")

#: "Throughput reached" (cloud-api 5.3): the one error that asks for a lower rate, and not for a pause.
TOO_FAST: Final = 130429
#: These say that the token itself is bad; any other refusal of credentials is about what the token may do.
TOKEN_CODES: Final = frozenset({0, 104, 190})
#: The alert about credentials: there is one token, whichever sender found out.
CIRCUIT_ALERT: Final = "credentials"
#: A hold that is over, and did not come back within this time, has ended: its alert is resolved.
PROVEN_AFTER: Final = timedelta(seconds=30)
#: From this many holds in a row on, also those that pass by themselves are told.
WORTH_TELLING: Final = 3
#: So long after a circuit closed, answers to the token before it may still be written down.
_SETTLES: Final = timedelta(seconds=12)
_A_MOMENT: Final = timedelta(seconds=1)
#: Meta counts what was used in the last hour.
_AN_HOUR: Final = timedelta(hours=1)
_ABOUT_SENDERS: Final = frozenset({"sender", "everything"})

#: Makes a number's check due now ($2), or once more when one is under way; $1 which number, NULL every one.
CHECK_NOW: Final = (
    "UPDATE senders SET check_again = (work = 'running'), work_at = CASE work WHEN 'waiting' THEN $2 ELSE work_at END, "
    "work = CASE work WHEN 'waiting' THEN 'ready' ELSE work END "
    "WHERE ($1::text IS NULL OR id = $1) AND work IN ('waiting', 'running')"
)

_SENDER = (
    "SELECT s.*, p.tier, p.tier_limit, p.used AS reached, clock_timestamp() AS clock FROM senders s "
    "JOIN portfolios p ON p.id = s.portfolio_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A number of ours. Rates in messages a second; times in UTC, by the service's clock.

    It sends while ``circuit`` is closed and ``hold_until`` is over or None. ``quality``, ``status``, ``throughput``,
    ``tier`` and ``can_send`` are Meta's words (cloud-api 6 and 8.1), None until the first check. ``tier_limit`` is
    None when there is none, or none is known; ``reached`` counts the portfolio's people of the last 24 hours;
    ``told_percent`` is what Meta counted, at ``told_at``, as used of the account's allowance of messages.
    """

    id: str
    waba_id: str
    portfolio_id: str
    display_number: str | None
    verified_name: str | None
    quality: str | None
    status: str | None
    throughput: str | None
    can_send: str | None
    obstacles: tuple[str, ...]
    tier: str | None
    tier_limit: int | None
    reached: int
    rate_limit: float
    rate: float
    told_percent: float | None
    told_at: datetime | None
    hold_from: datetime | None
    hold_until: datetime | None
    hold_why: str | None
    hold_code: int | None
    hold_times: int
    circuit: str
    circuit_since: datetime | None
    circuit_why: str | None
    circuit_code: int | None
    checked_at: datetime | None
    check_failed: str | None
    checks_failed: int

    def used(self, now: datetime) -> float | None:
        """The share of the account's messages that Meta counts as used; None when it has not said so lately."""
        fresh = self.told_at is not None and now - self.told_at < _AN_HOUR
        return self.told_percent if fresh else None

    def held(self, now: datetime) -> str | None:
        """Why nothing goes out from this number now; None when it sends."""
        if self.circuit == "open":
            return self.circuit_why or "the access token was refused"
        return self.hold_why if self.hold_until is not None and self.hold_until > now else None


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing before ``until``; the ``times``-th time in a row."""

    until: datetime
    why: str
    code: int | None
    times: int


_FIELDS: Final = frozenset(Sender.__dataclass_fields__)


def ids(settings: Settings) -> tuple[str, ...]:
    """The phone number ids that are ours, the first one first."""
    return settings.phone_number_ids


def known(rt: Runtime, phone_number_id: str) -> bool:
    """Whether a number is one of ours."""
    return phone_number_id in ids(rt.settings)


async def ensure(tx: Tx, rt: Runtime) -> None:
    """Give each configured number its row, and its portfolio one; what is known of them already stays.

    No setting names the business portfolio: the account stands for it until a check has told (``portfolios``).
    """
    waba_id = rt.settings.whatsapp_business_account_id
    await tx.execute("INSERT INTO portfolios (id) VALUES ($1) ON CONFLICT DO NOTHING", waba_id)
    known = "coalesce((SELECT min(k.portfolio_id) FROM senders k WHERE k.waba_id = $2), $2)"
    await tx.execute(
        "INSERT INTO senders AS s (id, waba_id, portfolio_id, work, work_at) "
        f"SELECT id, $2, {known}, 'ready', $3 FROM unnest($1::text[]) AS ours (id) ORDER BY id "
        f"ON CONFLICT (id) DO UPDATE SET waba_id = $2, portfolio_id = {known}, work = coalesce(s.work, 'ready'), "
        "work_at = CASE WHEN s.work IS NULL THEN $3 ELSE s.work_at END "
        "WHERE s.work IS NULL OR s.waba_id <> $2",
        list(ids(rt.settings)),
        waba_id,
        rt.now(),
    )
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))


async def get(tx: Tx, phone_number_id: str) -> Sender | None:
    """One of our numbers as it stands."""
    row = await tx.fetchrow(f"{_SENDER} WHERE s.id = $1", phone_number_id)
    return _sender(row) if row else None


async def listed(tx: Tx) -> list[Sender]:
    """Every number of ours."""
    return [_sender(row) for row in await tx.fetch(f"{_SENDER} ORDER BY s.id")]


async def by_display_number(tx: Tx, shown: str) -> Sender | None:
    """The number of ours that people see as ``shown``: webhooks name it so, in whatever spelling (cloud-api 4.11)."""
    digits = _digits(shown)
    return next(
        (each for each in await listed(tx) if digits and _digits(each.display_number) == digits), None
    )


def _digits(shown: str | None) -> str:
    return "".join(each for each in shown or "" if each.isdigit())


def _sender(row: Record) -> Sender:
    values = {name: value for name, value in dict(row).items() if name in _FIELDS}
    values["rate"] = rules.grown(row["rate"], row["rate_grows_at"], row["clock"], row["rate_limit"])
    return msgspec.convert(values, Sender)


async def hold(
    tx: Tx, rt: Runtime, phone_number_id: str | None, *, until: datetime, why: str, code: int | None = None
) -> None:
    """Send nothing from a number (None: from any of ours) before ``until``; a longer hold that is there stays."""
    for row in await locked(tx, phone_number_id):
        await _put_on_hold(tx, rt, row, Hold(until, why, code, row["hold_times"]))


async def release(tx: Tx, rt: Runtime, phone_number_id: str | None) -> None:
    """End the hold of a number (None: of all of ours) at once. A circuit that is open stays open."""
    for row in await locked(tx, phone_number_id):
        await tx.execute(
            "UPDATE senders SET hold_until = NULL, hold_why = NULL, hold_code = NULL, hold_times = 0 WHERE id = $1",
            row["id"],
        )
    go_on(tx, rt)


async def open_circuit(tx: Tx, rt: Runtime, phone_number_id: str | None, *, why: str, code: int) -> list[str]:
    """Stop a number (None: all of ours) until a check finds its credentials good; which ones this stopped.

    What is queued stays queued and webhooks are taken in as ever. The check is due at once.
    """
    rows = await tx.fetch(
        "UPDATE senders SET circuit = 'open', circuit_since = $2, circuit_why = $3, circuit_code = $4, "
        "checks_failed = 0, token_mark = NULL, work_at = $2, check_again = (work IS NOT DISTINCT FROM 'running'), "
        "work = CASE work WHEN 'running' THEN work ELSE 'ready' END "
        "WHERE id IN (SELECT id FROM senders WHERE ($1::text IS NULL OR id = $1) AND circuit = 'closed' "
        "ORDER BY id FOR UPDATE) RETURNING id",
        phone_number_id,
        rt.now(),
        why,
        code,
    )
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    return [row["id"] for row in rows]


async def lock_all(tx: Tx) -> None:
    """Lock the rows of all senders, in order: first of all, by who may write several of them or their portfolio."""
    await locked(tx, None)


async def obey(
    tx: Tx, rt: Runtime, phone_number_id: str, failure: Failure, *, by_check: bool = False
) -> None:
    """Do to the sender what an error of Meta's asks for, when it is about more than a message, person or template.

    Too fast (130429): its rate is cut. Credentials: the circuit opens, of all of ours or of this one. Everything else:
    a hold as long as the table or Meta's own headers say, longer with each repetition, an hour at most. Call it in a
    transaction of its own, or before any message is touched: it locks rows of senders.
    """
    if failure.holds not in _ABOUT_SENDERS:
        return
    whom = None if failure.holds == "everything" else phone_number_id
    if failure.code == TOO_FAST:
        await _slow_down(tx, rt, phone_number_id, failure)
    elif failure.kind == "credentials":
        await _refused(tx, rt, whom, failure, by_check=by_check)
    else:
        await _hold_as_asked(tx, rt, whom, failure)


async def _slow_down(tx: Tx, rt: Runtime, phone_number_id: str, failure: Failure) -> None:
    """Cut the rate; hold only as long as Meta itself asked for, since a lower rate is the answer to "too fast"."""
    rows = await locked(tx, phone_number_id)
    if not rows:
        return
    row = rows[0]
    rate = rules.throttled(row["rate"], row["rate_grows_at"], row["clock"], row["rate_limit"])
    if rate is not None:
        await tx.execute(
            "UPDATE senders SET rate = $2, rate_grows_at = $3 WHERE id = $1", row["id"], rate, row["clock"]
        )
        tx.after_commit(SENDER_HOLDS.labels(str(failure.code)).inc)
    if failure.hold_s > tabled(failure.code).hold_s:
        await _hold_as_asked(tx, rt, phone_number_id, failure)


async def _refused(tx: Tx, rt: Runtime, whom: str | None, failure: Failure, *, by_check: bool) -> None:
    """Open the circuit; where it closed a moment ago, the refusal may be of the token before: then a check says."""
    if failure.code in TOKEN_CODES and not by_check:
        rows = await locked(tx, whom)
        closed = [row["circuit_since"] for row in rows if row["circuit"] == "closed" and row["circuit_since"]]
        if closed and rt.now() - max(closed) < _SETTLES:
            await tx.execute(CHECK_NOW, whom, rt.now())
            tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
            return
    why = f"Meta {failure.code} {failure.title}: {failure.meaning}"
    stopped = await open_circuit(tx, rt, whom, why=why, code=failure.code)
    if not stopped:
        return
    if (
        failure.code not in TOKEN_CODES
    ):  # a check cannot see what is missing: time, or another token, has to pass
        await _hold_as_asked(tx, rt, whom, failure)
    tx.after_commit(SENDER_HOLDS.labels(str(failure.code)).inc)
    await alerts.raise_(
        tx,
        rt,
        CIRCUIT_ALERT,
        severity="critical",
        title="Meta refuses the credentials; nothing is sent",
        detail=f"{why} What is queued waits; webhooks are taken in. Stopped: {', '.join(stopped)}.",
        advice=f"{failure.operator} {rt.settings.token_place}"
        if failure.code in TOKEN_CODES
        else failure.operator,
    )


async def _hold_as_asked(tx: Tx, rt: Runtime, whom: str | None, failure: Failure) -> None:
    now, why = rt.now(), f"Meta {failure.code} {failure.title}: {failure.meaning}"
    for row in await locked(tx, whom):
        over: datetime | None = row["hold_until"]
        times = row["hold_times"]
        if over is None or now - over > rules.REPEATED_WITHIN:
            times = 1
        elif over <= now:
            times += 1
        until = now + rules.hold_for(failure.hold_s, times)
        if await _put_on_hold(tx, rt, row, Hold(until, why, failure.code, times)):
            if failure.kind == "account":
                await tx.execute(CHECK_NOW, row["id"], now)  # what stands in the way can then be seen to go
                tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
            await _alert_of_hold(tx, rt, row["id"], failure, Hold(until, why, failure.code, times))


async def _alert_of_hold(tx: Tx, rt: Runtime, sender_id: str, failure: Failure, held: Hold) -> None:
    """Holds of a minute come and go; what Meta did to the account, and what comes again and again, is told."""
    grave = failure.kind == "account"
    if not grave and held.times < WORTH_TELLING and failure.kind != "credentials":
        return
    await alerts.raise_(
        tx,
        rt,
        held_alert(sender_id),
        severity="critical" if grave else "warning",
        title=f"A sender is on hold: {failure.title}",
        detail=f"{held.why} Nothing goes out from {sender_id} before {held.until:%Y-%m-%d %H:%M:%S} UTC.",
        advice=failure.operator,
    )


async def _put_on_hold(tx: Tx, rt: Runtime, row: Record, held: Hold) -> bool:
    """Whether this is a new hold, or longer by more than a moment. The check that ends its alert comes after it."""
    now, over = rt.now(), row["hold_until"]
    in_force = over is not None and over > now
    if in_force and held.until - over < _A_MOMENT:
        return False
    await tx.execute(
        "UPDATE senders SET hold_from = $2, hold_until = $3, hold_why = $4, hold_code = $5, hold_times = $6, "
        "work_at = CASE work WHEN 'waiting' THEN least(work_at, $7) ELSE work_at END WHERE id = $1",
        row["id"],
        row["hold_from"] if in_force else now,
        held.until,
        held.why,
        held.code,
        held.times,
        held.until + PROVEN_AFTER,
    )
    if not in_force:
        tx.after_commit(SENDER_HOLDS.labels("none" if held.code is None else str(held.code)).inc)
    return True


async def locked(tx: Tx, phone_number_id: str | None) -> list[Record]:
    """A number's row (None: all of ours), locked, in the order in which everybody locks them."""
    return await tx.fetch(
        "SELECT *, clock_timestamp() AS clock FROM senders WHERE ($1::text IS NULL OR id = $1) ORDER BY id FOR UPDATE",
        phone_number_id,
    )


def tabled(code: int) -> Failure:
    """What the table says of an error: a longer hold than its own Meta itself asked for."""
    return classify(GraphError(code, ""), None)


def held_alert(phone_number_id: str) -> str:
    """The key of the alert about a sender's hold."""
    return f"sender.held:{phone_number_id}"


def go_on(tx: Tx, rt: Runtime) -> None:
    """Once committed, let those who send look again."""
    tx.after_commit(lambda: rt.wakes.work("messages"))


async def gauge(rt: Runtime, tx: Tx) -> None:
    """Set the gauges of every number."""
    for sender in await listed(tx):
        SENDER_RATE.labels(sender.id).set(sender.rate)
        SENDER_HELD.labels(sender.id).set(0 if sender.held(rt.now()) is None else 1)
