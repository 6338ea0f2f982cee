"""One row of the mirror, and what becomes of it by a listing or a webhook of Meta's. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.templates.compare import drifted
from sayso.templates.rules import Mirrored, kind_of

#: The columns of the table that ``Mirrored`` has.
COLUMNS = (
    "name, language, category, status, components, parameter_format, reason, quality, meta_id, ttl_s, "
    "paused_until, changed_at, synced_at"
)

#: A webhook of before the last comparison tells nothing new; clocks may differ by this much.
_SKEW: Final = timedelta(seconds=5)
_INSIDE: Final = ("buttons", "cards", "components", "supported_apps")
_ORDER: Final = ("HEADER", "BODY", "FOOTER", "BUTTONS")
#: How long Meta pauses a template the first and the second time (cloud-api 3.5).
_PAUSES: Final = {"FIRST_PAUSE": timedelta(hours=3), "SECOND_PAUSE": timedelta(hours=6)}


@dataclass(frozen=True, slots=True)
class Row:
    """A template in one language with what only the mirror's keeper needs.

    ``wanted``: the create call's body that was last pushed. ``drift``: fields in which Meta has another text.
    ``told_at``: when Meta last said something by webhook.
    """

    mirrored: Mirrored
    correct_category: str | None = None
    wanted: Mapping[str, Any] | None = None
    drift: Sequence[str] = ()
    told_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Name and language."""
        return self.mirrored.name, self.mirrored.language


def of_row(row: Mapping[str, Any]) -> Mirrored:
    """A template as the table has it."""
    return Mirrored(**{column: row[column] for column in COLUMNS.split(", ")})


def with_drift(row: Row) -> Row:
    """The row with the fields in which Meta has another text than was wanted; while that is open, they stay."""
    drift: Sequence[str] = row.drift
    if row.mirrored.status == "DELETED":
        drift = ()
    elif row.wanted is not None:
        drift = tuple(drifted(row.wanted, row.mirrored))
    return Row(row.mirrored, row.correct_category, row.wanted, drift, row.told_at)


def same(before: Row, after: Row) -> bool:
    """Whether nothing that is kept differs."""

    def told(row: Row) -> tuple[Any, ...]:
        at = row.mirrored
        return (
            *(at.meta_id, at.category, row.correct_category, at.status, at.reason, at.quality, at.ttl_s),
            *(
                at.parameter_format,
                list(at.components),
                row.wanted,
                tuple(row.drift),
                at.paused_until,
                row.told_at,
            ),
        )

    return told(before) == told(after)


def of_listing(found: Mapping[str, Any]) -> Mirrored | None:
    """A template out of Meta's list (cloud-api 3.1); None for an entry without a name, a language or a status."""
    name, language, status = (found.get(key) for key in ("name", "language", "status"))
    if not (isinstance(name, str) and isinstance(language, str) and isinstance(status, str)):
        return None
    parts = found.get("components")
    score = found.get("quality_score")
    reason = found.get("rejected_reason")
    ttl = found.get("message_send_ttl_seconds")
    return Mirrored(
        name=name,
        language=language,
        category=_text(found.get("category")) or "UNKNOWN",
        status=status.upper(),
        components=_sound(parts),
        parameter_format=(_text(found.get("parameter_format")) or "POSITIONAL").upper(),
        reason=None if reason in (None, "", "NONE") else str(reason),
        quality=_text(score.get("score")) if isinstance(score, dict) else None,
        meta_id=_text(found.get("id")),
        ttl_s=ttl if isinstance(ttl, int) and not isinstance(ttl, bool) else None,
    )


def _sound(parts: Any) -> list[dict[str, Any]]:
    """Components in the shape they are read in; what has another is left out."""
    if not isinstance(parts, list):
        return []
    return [
        {key: value for key, value in part.items() if key not in _INSIDE and _fits(key, value)}
        | {key: _sound(part[key]) for key in _INSIDE if key in part}
        for part in parts
        if isinstance(part, dict)
    ]


def _fits(key: str, value: Any) -> bool:
    return key != "limited_time_offer" or isinstance(value, dict)


def of_entry(row: Row | None, found: Mirrored, entry: Mapping[str, Any]) -> Row:
    """What the list says, with what only webhooks say while it is still so."""
    paused = row.mirrored.paused_until if row and found.status == "PAUSED" else None
    correct = _text(entry.get("correct_category"))
    merged = replaced(found, paused_until=paused)
    if row is None:
        return Row(merged, correct)
    return Row(merged, correct, row.wanted, row.drift, row.told_at)


def deleted(row: Row) -> Row:
    """The row of a template that Meta does not list any more."""
    return Row(replaced(row.mirrored, status="DELETED", reason=None), None, row.wanted, (), row.told_at)


def submitted(before: Row | None, told: Mapping[str, Any], wanted: Mapping[str, Any]) -> Row:
    """The row after a create or edit call that Meta took; ``told`` is shaped like an entry of its list.

    An edit leaves what only Meta says as it is: its review is told of otherwise.
    """
    found = of_listing(told)
    if found is None:
        raise ValueError("a call's body has a name, a language and a status")
    if before is None or before.mirrored.status == "DELETED":
        return Row(found, None, wanted, (), before.told_at if before else None)
    edited = replaced(
        before.mirrored,
        components=found.components,
        parameter_format=found.parameter_format,
        ttl_s=found.ttl_s,
    )
    return Row(edited, before.correct_category, wanted, (), before.told_at)


def undecided(row: Row) -> Row:
    """The row while an edit of ours is under way: what Meta tells of it in between is no drift."""
    return Row(row.mirrored, row.correct_category, None, row.drift, row.told_at)


def replaced(at: Mirrored, **changes: Any) -> Mirrored:
    """The same with other values in some fields."""
    values = {name: getattr(at, name) for name in Mirrored.__dataclass_fields__}
    return Mirrored(**(values | changes))


def with_changes(row: Row, told_at: datetime | None, **changes: Any) -> Row:
    """A row after a webhook's word; its time is remembered if it is the latest."""
    correct = changes.pop("correct_category", row.correct_category)
    told = max(filter(None, (row.told_at, told_at)), default=None)
    return Row(replaced(row.mirrored, **changes), correct, row.wanted, row.drift, told)


def overtaken(row: Row, at: datetime | None) -> bool:
    """Whether a webhook of this time tells of something older than what is known: then Meta is asked afresh."""
    if at is None:
        return False
    synced = row.mirrored.synced_at
    return (row.told_at is not None and at < row.told_at) or (synced is not None and at < synced - _SKEW)


def told_components(at: Mirrored, value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The components after a webhook that tells their texts (cloud-api 3.8); what it does not tell stays."""
    kept = {str(part.get("type", "")).upper(): dict(part) for part in at.components}
    for kind, key in (("HEADER", "title"), ("BODY", "element"), ("FOOTER", "footer")):
        text = _text(value.get(f"message_template_{key}"))
        if text is not None:
            kept[kind] = {
                "type": kind,
                **({"format": "TEXT"} if kind == "HEADER" else {}),
                **kept.get(kind, {}),
            }
            kept[kind]["text"] = text
        elif kind == "FOOTER" or kept.get(kind, {}).get("format") == "TEXT":
            kept.pop(kind, None)
    buttons = value.get("message_template_buttons")
    if isinstance(buttons, list):
        had = at.buttons
        kept["BUTTONS"] = {
            "type": "BUTTONS",
            "buttons": [_told_button(each, had[n] if n < len(had) else {}) for n, each in enumerate(buttons)],
        }
    else:
        kept.pop("BUTTONS", None)
    return [kept[kind] for kind in (*_ORDER, *(each for each in kept if each not in _ORDER)) if kind in kept]


def _told_button(button: Any, had: Mapping[str, Any]) -> dict[str, Any]:
    """A button as it is told; of one of the same kind in its place stays what is never told, such as a form's id."""
    told = button if isinstance(button, dict) else {}
    prefix = "message_template_button_"
    found = {key.removeprefix(prefix): value for key, value in told.items() if key.startswith(prefix)}
    if kind_of(found) != kind_of(had):
        return found
    untold = {
        key: value for key, value in had.items() if key not in ("text", "url", "phone_number", "example")
    }
    return untold | found


def pause_ends(title: Any, at: datetime | None) -> datetime | None:
    """When a pause ends by itself, by its title (cloud-api 3.5 and 3.8); None where nobody knows."""
    return at + _PAUSES[title] if at is not None and title in _PAUSES else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
