"""Opt-ins that were given elsewhere, over HTTP: rows as JSON, or a file of CSV."""

import hashlib
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from starlette.responses import Response

from sayso.consent.portable import PERSONAL_COLUMNS, Imported, Rejected, read_import, read_rows
from sayso.core import faults, idempotency
from sayso.core.api import Input, Rt
from sayso.core.auth import MayOperate
from sayso.core.database import Tx
from sayso.core.described import refusals
from sayso.core.described_fields import fields_at
from sayso.core.errors import BodyTooLargeError, IdempotencyMismatchError, InputInvalidError
from sayso.core.runtime import Runtime
from sayso.inbound import importing
from sayso.inbound.importing import Done, State

router = APIRouter(tags=["consents"])

PATH: Final = "/consents/import"
MOST_ROWS: Final = 10_000
LARGEST_BODY: Final = 8 * 1024 * 1024


def _cell(value: Any) -> str | None:
    """What a row holds under a name; of several texts one, as a cell of CSV has them."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(faults.unlike(["text", "a list of texts"], value))


class ImportIn(Input):
    """Rows to take in; what a row may hold is said row by row."""

    rows: Annotated[
        list[dict[str, Annotated[Any, AfterValidator(_cell)]]], Field(min_length=1, max_length=MOST_ROWS)
    ]


class RowOut(BaseModel):
    """What became of a row, counted from 1.

    `recorded`: its entry is `id`; in a dry run it would be recorded, or is known already. `known`: an earlier import
    wrote it down. `rejected`: `why` says what is wrong with it. `verified` is false without wording, evidence and time:
    such an opt-in permits no marketing.
    """

    row: int
    state: State
    id: str | None
    verified: bool | None
    why: str | None


class ImportOut(BaseModel):
    """What became of an import: how many rows of each kind, how many of them unverified, and each row."""

    recorded: int
    known: int
    rejected: int
    unverified: int
    dry_run: bool
    rows: list[RowOut]


_COLUMNS: Final = ("recipient", "captured_at", "scope", "expires_at", *PERSONAL_COLUMNS)
_ROW: Final = {
    "recipient": "+15550001111",
    "captured_at": "2026-01-31T10:00:00Z",
    "wording": "I agree to get WhatsApp messages from Example Ltd.",
    "evidence": "sign-up form 2291",
    "scope": "confirmations notifications",
}
_CSV: Final = "recipient,captured_at,wording,evidence\n+15550001111,2026-01-31T10:00:00Z,I agree.,form 2291\n"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["rows"],
                "additionalProperties": False,
                "properties": {
                    "rows": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MOST_ROWS,
                        "items": {
                            "type": "object",
                            "properties": {name: {"type": "string"} for name in _COLUMNS},
                        },
                    }
                },
            },
            "example": {"rows": [_ROW]},
        },
        "text/csv": {"schema": {"type": "string"}, "example": _CSV},
    },
}


@router.post(
    PATH,
    response_model=ImportOut,
    openapi_extra={"requestBody": _BODY},
    responses=refusals(BodyTooLargeError, IdempotencyMismatchError),
)
async def take_in(
    rt: Rt,
    actor: MayOperate,
    request: Request,
    key: idempotency.Key = None,
    *,
    dry_run: Annotated[bool, Query(description="Only say what would become of each row.")] = False,
) -> Response:
    """Take in opt-ins that were given elsewhere: JSON rows, or CSV with a head row; at most 10,000.

    Those without `wording`, `evidence` and `captured_at` are marked unverified. A row that is wrong is rejected by
    itself, and the others are taken in; a row that an earlier import wrote down is not written twice. Ten thousand
    rows may take a minute: after a lost answer ask again, under the same key.
    """
    raw = await request.body()
    asked = {"body": hashlib.sha256(raw).hexdigest(), "dry_run": dry_run}
    route = f"POST {PATH}"
    before = await idempotency.kept(rt, actor, route=route, key=key, body=asked)
    if before is not None:
        return before
    rows = _read(raw, request.headers.get("content-type", ""), rt)
    good, wrong = importing.checked(rows)
    done = [Done(row.number, "rejected", why=row.why) for row in wrong]
    if dry_run:
        done += [Done(row.number, "recorded", verified=row.verified) for row in good]
    else:
        async for part in importing.write(rt, good, actor=f"{actor.client_id}/{actor.user_id}"):
            done += part

    async def answer(_tx: Tx) -> dict[str, Any]:
        return _told(done, dry_run=dry_run)

    return await idempotency.once(rt, actor, route=route, key=key, body=asked, status=200, create=answer)


def _read(raw: bytes, content_type: str, rt: Runtime) -> list[Imported | Rejected]:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _of_json(raw, rt)
        case "text/csv":
            return _of_csv(raw, rt)
        case other:
            raise faults.wrong("", f"must be application/json or text/csv, not {faults.shown(other)}")


def _of_json(raw: bytes, rt: Runtime) -> list[Imported | Rejected]:
    try:
        given = ImportIn.model_validate_json(raw)
    except ValidationError as error:
        fields = partial(fields_at, ImportIn)
        wrong = faults.of_validation(error.errors(include_url=False), fields=fields)
        raise InputInvalidError(faults.summary(wrong), faults=wrong) from None
    return read_rows(given.rows, now=rt.now())


def _of_csv(raw: bytes, rt: Runtime) -> list[Imported | Rejected]:
    try:
        rows = read_import(raw.decode(), name="body.csv", now=rt.now(), most=MOST_ROWS + 1)
    except UnicodeDecodeError:
        raise faults.wrong("", "is not UTF-8: save the file with that encoding") from None
    except InputInvalidError as error:
        raise faults.wrong("", error.detail.removeprefix("body.csv ")) from None
    if not rows:
        raise faults.wrong("", "has no rows below its head")
    if len(rows) > MOST_ROWS:
        raise faults.wrong("", f"has more than {MOST_ROWS:,} rows: import them in parts")
    return rows


def _told(done: list[Done], *, dry_run: bool) -> dict[str, Any]:
    states = [each.state for each in done]
    return {
        "recorded": states.count("recorded"),
        "known": states.count("known"),
        "rejected": states.count("rejected"),
        "unverified": sum(each.verified is False for each in done),
        "dry_run": dry_run,
        "rows": [
            {
                "row": each.number,
                "state": each.state,
                "id": each.entry_id,
                "verified": each.verified,
                "why": each.why,
            }
            for each in sorted(done, key=lambda each: each.number)
        ],
    }
