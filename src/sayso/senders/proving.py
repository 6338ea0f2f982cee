"""What a check of a number proves: that it was made, that the access token is good, that a circuit may close."""

from datetime import datetime

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.senders.service import CHECK_NOW, PROVEN_AFTER, QUEUE, TOKEN_CODES, Sender, go_on, release, tabled


async def check_now(tx: Tx, rt: Runtime, phone_number_id: str | None = None) -> None:
    """Have a number (None: every one) checked at once; one that is being checked this moment, once more after it."""
    await tx.execute(CHECK_NOW, phone_number_id, rt.now())
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))


async def asked_again(tx: Tx, phone_number_id: str) -> bool:
    """Whether a check was asked for while one was under way; from here on its row is locked, and the question open."""
    return bool(
        await tx.fetchval("SELECT check_again FROM senders WHERE id = $1 FOR UPDATE", phone_number_id)
    )


async def checked(tx: Tx, rt: Runtime, phone_number_id: str, *, failed: str | None) -> None:
    """Write down that a number was looked at, and why that told nothing about it if so."""
    await tx.execute(
        "UPDATE senders SET check_again = false, check_failed = $3, "
        "checked_at = CASE WHEN $3::text IS NULL THEN $2 ELSE checked_at END, "
        "checks_failed = CASE WHEN $3 IS NULL THEN 0 ELSE checks_failed + 1 END WHERE id = $1",
        phone_number_id,
        rt.now(),
        failed,
    )


async def prove(tx: Tx, rt: Runtime, phone_number_id: str, mark: str, began: datetime) -> None:
    """Meta took the access token with this ``mark``: close the number's circuit if that was what it waited for.

    A check that ``began`` before the circuit opened knows nothing of why it did.

    Where Meta had refused something that the token may not do, a look at the number cannot tell whether it may now:
    then another token than at the last look closes it, or the end of the hold, after which a message will show.
    """
    row = await tx.fetchrow("SELECT * FROM senders WHERE id = $1 FOR UPDATE", phone_number_id)
    if row is None:
        return
    await tx.execute("UPDATE senders SET token_mark = $2 WHERE id = $1", phone_number_id, mark)
    if row["circuit"] == "closed" or row["circuit_since"] > began:
        return
    replaced = row["token_mark"] not in {None, mark}
    over = row["hold_until"] is None or row["hold_until"] <= rt.now()
    if row["circuit_code"] not in TOKEN_CODES and not replaced and not over:
        return
    if replaced and row["hold_code"] == row["circuit_code"]:
        await release(tx, rt, phone_number_id)
    await close_circuit(tx, rt, phone_number_id)


async def close_circuit(tx: Tx, rt: Runtime, phone_number_id: str) -> bool:
    """Let a number send again; whether it was stopped."""
    closed = await tx.execute(
        "UPDATE senders SET circuit = 'closed', circuit_since = $2, circuit_why = NULL, circuit_code = NULL "
        "WHERE id = $1 AND circuit = 'open'",
        phone_number_id,
        rt.now(),
    )
    go_on(tx, rt)
    return closed == 1


def on_probation(sender: Sender, now: datetime) -> bool:
    """Whether a number sends again after a refusal of its credentials, and has not shown yet that it may."""
    if sender.hold_until is None or sender.hold_code is None or sender.hold_until + PROVEN_AFTER <= now:
        return False
    return tabled(sender.hold_code).kind == "credentials"
