"""The pages of confirmations: the newest, and the whole story of one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from sayso.confirmations import receipts, service, story
from sayso.confirmations.story import Story
from sayso.confirmations.views import Status
from sayso.core.api import Rt
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.dashboard import render
from sayso.dashboard.bubbles import Bubble, bubble
from sayso.dashboard.entry import Page, Reader
from sayso.dashboard.happened import arrival, happened, name, named
from sayso.dashboard.signing_in import PATH
from sayso.events import deliveries
from sayso.events import service as events
from sayso.templates import service as templates

router = APIRouter(prefix=f"{PATH}/confirmations", route_class=Page, include_in_schema=False)

AT_ONCE: Final = 25
_STATES: Final = get_args(Status)
_ID: Final = re.compile(r"cnf_[0-9a-z]{26}", re.ASCII)
#: Characters of what we said, above which the story has it folded.
_LONG: Final = 400
_LOST: Final = "There is no such confirmation, or none that you may see."


@router.get("")
async def newest(request: Request, rt: Rt, reader: Reader) -> Response:
    """The newest confirmations: one's own, or with the scope ``admin`` everybody's."""
    asked = request.query_params
    status = asked.get("status") if asked.get("status") in _STATES else None
    before = asked.get("before") if _ID.fullmatch(asked.get("before", "")) else None
    async with rt.db.one() as tx:
        rows = await _newest(tx, reader, status=status, before=before)
    following = rows[AT_ONCE - 1]["id"] if len(rows) > AT_ONCE else None
    return render.page(
        "confirmations.html",
        reader=reader,
        rows=rows[:AT_ONCE],
        status=status,
        states=_STATES,
        before=before,
        next=following,
        erased=receipts.ERASED,
    )


async def _newest(tx: Tx, reader: Actor, *, status: str | None, before: str | None) -> list[Record]:
    """A page, and one more where there is another page."""
    if reader.may("admin"):
        return await service.newest(tx, status=status, before=before, limit=AT_ONCE + 1)
    return await service.page(tx, reader.client_id, status=status, before=before, limit=AT_ONCE + 1)


@router.get("/{confirmation_id}")
async def one(confirmation_id: str, rt: Rt, reader: Reader) -> Response:
    """The whole story of one."""
    if not _ID.fullmatch(confirmation_id):
        return render.lost(reader, _LOST)
    async with rt.db.tx() as tx:
        found = await story.tell(tx, rt, confirmation_id)
        if found is None or not reader.sees(found.row["client_id"]):
            return render.lost(reader, _LOST)
        told = await events.about(tx, found.row["client_id"], confirmation_id)
        sent = await deliveries.of_events(tx, [each["id"] for each in told])
        bubbles = await _bubbles(tx, rt, found)
    return render.page(
        "confirmation.html",
        reader=reader,
        story=found,
        row=found.row,
        bubbles=bubbles,
        events=told,
        deliveries=_by_event(sent),
        steps=happened(found, told, sent, bubbles),
        name=name,
        arrival=arrival,
        named=named,
        most=story.MOST,
        long=_LONG,
        code=_is_hidden(found.row),
    )


@router.get("/{confirmation_id}/receipt.{form}")
async def receipt(confirmation_id: str, form: str, rt: Rt, reader: Reader) -> Response:
    """The receipt to keep, as the API gives it."""
    async with rt.db.one() as tx:
        row = await receipts.get(tx, confirmation_id) if _ID.fullmatch(confirmation_id) else None
    there = row is not None and reader.sees(row["client_id"]) and row["jws"] is not None
    if row is not None and there and form == "jws":
        return render.download(row["jws"], f"{confirmation_id}.jws", "application/jose")
    if row is not None and there and form == "json":
        whole = msgspec.json.encode(receipts.shown(row))
        return render.download(whole, f"{confirmation_id}.json", "application/json")
    return render.lost(reader, "There is no such receipt, or none that you may see.")


async def _bubbles(tx: Tx, rt: Runtime, found: Story) -> Mapping[str, Bubble]:
    """What each message about the question looked like, by its id; what was erased is left out.

    Where whom it was about was erased, what others were told of it is not shown either.
    """
    if found.erased:
        return {}
    codes = {found.whose[each.row["person_id"]]: each.row["code"] for each in found.asked}
    hidden = codes if _is_hidden(found.row) else {}
    put = [(each.message, each.shown) for each in found.asked if each.message is not None]
    said = [(each.row, each.shown) for each in found.lines]
    stored = [(row, content) for row, content in (*put, *said) if content is not None]
    keys = [_key(content) for _, content in stored if content["type"] == "template"]
    mirrored = await templates.mirrored(tx, rt, keys) if keys else {}
    return {
        row["id"]: bubble(
            content, mirrored.get(_key(content)), hidden.get(found.whose.get(row["person_id"], ""))
        )
        for row, content in stored
    }


def _key(content: Mapping[str, Any]) -> tuple[str, str]:
    """The template that a stored message is of, if it is of one."""
    return content.get("name", ""), content.get("language", "")


def _is_hidden(row: Record) -> bool:
    """Whether a code stands in the question that nobody but the person is to know yet."""
    return bool(row["challenge"] == "code" and row["status"] != "decided")


def _by_event(sent: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for each in sent:
        found.setdefault(each["event_id"], []).append(each)
    return found
