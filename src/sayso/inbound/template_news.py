"""What Meta tells of templates by webhook: status, quality, category, components (cloud-api 3.8)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.messages import service as messages
from sayso.templates import mirror
from sayso.templates.rows import Row, overtaken, pause_ends, told_components, with_changes
from sayso.whatsapp.updates import OtherUpdate

#: The status a template has after an event; the others (FLAGGED, LOCKED, UNARCHIVED …) do not say it.
_STATUS: Final = {
    **{each: each for each in ("APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "IN_APPEAL")},
    **{each: each for each in ("LIMIT_EXCEEDED", "DELETED", "PENDING_DELETION", "ARCHIVED")},
    "REINSTATED": "APPROVED",
}

Told = Mapping[str, Any]


async def digest(tx: Tx, rt: Runtime, update: OtherUpdate) -> str:
    """Bring the mirror up to what a webhook tells; what it leaves open is asked of Meta soon."""
    value = update.value if isinstance(update.value, dict) else {}
    name, language = value.get("message_template_name"), value.get("message_template_language")
    if update.waba_id != rt.settings.whatsapp_business_account_id:
        return f"ignored: the account {update.waba_id or '(none)'} is not ours"
    if not isinstance(name, str) or not isinstance(language, str):
        return "kept: it names no template"
    row = await mirror.one(tx, rt, name, language)
    after = _READERS[update.kind](row, value, update) if row and not overtaken(row, update.at) else None
    if row is None or after is None:
        await mirror.ask_sync(tx, rt)
        why = "not in the mirror" if row is None else "older than what is known, or saying no more than that"
        return f"template {name} ({language}): {why}; Meta is asked"
    for key in await mirror.write(tx, rt, row, after):
        await messages.release(tx, rt, key)
    if update.kind not in _SUFFICIENT:
        await mirror.ask_sync(tx, rt)
    return f"template {name} ({language}): {after.mirrored.status}, {after.mirrored.category}"


def _status(row: Row, value: Told, update: OtherUpdate) -> Row | None:
    status = _STATUS.get(str(value.get("event", "")).upper())
    if status is None:
        return None
    about, rejection = _object(value, "other_info"), _object(value, "rejection_info")
    reason = value.get("reason") if value.get("reason") not in (None, "", "NONE") else None
    words = " ".join(str(each) for each in (reason, rejection.get("reason")) if each) or about.get("title")
    return with_changes(
        row,
        update.at,
        status=status,
        reason=str(words) if words and status != "APPROVED" else None,
        paused_until=pause_ends(about.get("title"), update.at) if status == "PAUSED" else None,
    )


def _quality(row: Row, value: Told, update: OtherUpdate) -> Row | None:
    score = value.get("new_quality_score")
    return with_changes(row, update.at, quality=score) if isinstance(score, str) else None


def _category(row: Row, value: Told, update: OtherUpdate) -> Row | None:
    """An announcement names the category that is to come (``correct_category``), a change the one that was."""
    new, correct = value.get("new_category"), value.get("correct_category")
    if not isinstance(new, str):
        return None
    return with_changes(
        row, update.at, category=new, correct_category=correct if isinstance(correct, str) else None
    )


def _components(row: Row, value: Told, update: OtherUpdate) -> Row | None:
    parts = told_components(row.mirrored, value)
    return with_changes(row, update.at, components=parts)


def _object(value: Told, key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


_READERS: Final[dict[str, Callable[[Row, Told, OtherUpdate], Row | None]]] = {
    "message_template_status_update": _status,
    "message_template_quality_update": _quality,
    "template_category_update": _category,
    "message_template_components_update": _components,
}
#: Kinds after which nothing is left open; the components come without examples, media and codes.
_SUFFICIENT: Final = frozenset(_READERS) - {"message_template_components_update"}

Handler = Callable[[Tx, Runtime, OtherUpdate], Awaitable[str]]
NEWS: Final[dict[str, Handler]] = dict.fromkeys(_READERS, digest)
