"""The consent ledger over HTTP, as a file."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from sayso.core.api import Input, Rt, Text
from sayso.core.auth import MayReadConsents
from sayso.core.described import refusals
from sayso.core.errors import ForbiddenError
from sayso.core.moments import Moment
from sayso.inbound import seeing
from sayso.inbound.exporting import Wanted, export_file
from sayso.inbound.seeing import View
from sayso.messages.recipients import find

router = APIRouter(tags=["consents"])


class ExportQuery(Input):
    """What of the ledger, and as what."""

    format: Annotated[
        Literal["json", "csv"], Field(description="JSON can be verified; CSV is for spreadsheets.")
    ] = "json"
    recipient: Annotated[
        Text | None, Field(max_length=160, description="Left out: the whole ledger (scope `admin`).")
    ] = None
    since: Annotated[Moment | None, Field(description="Only entries that were received from here on.")] = None
    until: Annotated[Moment | None, Field(description="Only entries that were received before then.")] = None


@router.get("/consents/export", responses=refusals())
async def export(rt: Rt, actor: MayReadConsents, query: Annotated[ExportQuery, Query()]) -> Response:
    """The ledger as a file: JSON, which `sayso consent verify --file` verifies, or CSV."""
    whose: tuple[str, ...] | None = None
    view: View | None = None
    if query.recipient is not None:
        async with rt.db.one() as tx:
            person = await find(tx, actor, query.recipient)
            if person is not None and not actor.may("admin"):
                view = await seeing.view_of(tx, actor, person, query.recipient)
        whose = person.ids if person else ()
    elif not actor.may("admin"):
        raise ForbiddenError(
            "The whole ledger needs the scope admin; name a `recipient` to export one person's."
        )
    wanted = Wanted(whose, query.since, query.until, view)
    media = "application/json" if query.format == "json" else "text/csv; charset=utf-8"
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="consents.{query.format}"',
    }
    return StreamingResponse(export_file(rt, wanted, query.format), media_type=media, headers=headers)
