"""What senders of messages ask of the mirror: which template, in which language, and whether it can be sent."""

from collections.abc import Iterable, Mapping, Sequence

from sayso.core.database import Tx
from sayso.core.errors import Fault, TemplateUnknownError
from sayso.core.faults import near
from sayso.core.runtime import Runtime
from sayso.templates import mirror, news
from sayso.templates.rows import COLUMNS, of_row, with_changes
from sayso.templates.rules import Gone, Mirrored, Standing, pick, standing

#: What a refused send says of its template (cloud-api 5.3): paused, disabled, its content judged; 132001 only that it
#: is not what we think.
_MEANS = {132015: "PAUSED", 132016: "DISABLED", 132007: "REJECTED"}
_SAYS_MORE_THAN = {
    "PAUSED": ("APPROVED",),
    "REJECTED": ("APPROVED",),
    "DISABLED": ("APPROVED", "PAUSED", "REJECTED"),
}


async def choose(
    tx: Tx, rt: Runtime, name: str, languages: Iterable[str], *, at: str = ""
) -> Mirrored | None:
    """The template to send to a person who reads ``languages``, best first.

    The nearest language that can be sent now: exact, its base, another region of it, English; where none can, the
    nearest that is held (under review, paused, rejected): its messages wait. None when the mirror was never compared
    with Meta and does not know the name: then Meta decides. Raises :class:`TemplateUnknownError`, pointing at ``at``,
    when it was and there is no such template.
    """
    there = await named(tx, rt, name)
    found = pick(languages, there)
    if found is None and await synced(tx, rt):
        raise await _unknown(tx, rt, name, there, at)
    return found


async def nearest(tx: Tx, rt: Runtime, name: str, languages: Iterable[str]) -> Mirrored | None:
    """As :func:`choose`, and None where there is no such template, whyever."""
    return pick(languages, await named(tx, rt, name))


async def named(tx: Tx, rt: Runtime, name: str) -> list[Mirrored]:
    """A template in all its languages."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM templates WHERE waba_id = $1 AND name = $2 ORDER BY language",
        rt.settings.whatsapp_business_account_id,
        name,
    )
    return [of_row(row) for row in rows]


async def all_of(tx: Tx, rt: Runtime) -> list[Mirrored]:
    """Every template of the account in every language, also those that are gone."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM templates WHERE waba_id = $1 ORDER BY name, language",
        rt.settings.whatsapp_business_account_id,
    )
    return [of_row(row) for row in rows]


async def synced(tx: Tx, rt: Runtime) -> bool:
    """Whether the mirror has been compared with Meta as a whole, ever."""
    found: bool | None = await tx.fetchval(
        "SELECT synced_at IS NOT NULL FROM template_syncs WHERE id = $1",
        rt.settings.whatsapp_business_account_id,
    )
    return bool(found)


async def mirrored(
    tx: Tx, rt: Runtime, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Mirrored]:
    """Templates by (name, language); one that the mirror does not know is missing: Meta decides."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM templates WHERE waba_id = $1 AND (name, language) IN "
        "(SELECT * FROM unnest($2::text[], $3::text[]))",
        rt.settings.whatsapp_business_account_id,
        [name for name, _ in keys],
        [language for _, language in keys],
    )
    return {(row["name"], row["language"]): of_row(row) for row in rows}


async def states(tx: Tx, rt: Runtime, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Standing]:
    """Whether templates, by (name, language), can be sent; one that the mirror does not know is missing."""
    return {key: standing(each) for key, each in (await mirrored(tx, rt, keys)).items()}


async def awaited(tx: Tx, rt: Runtime, keys: Sequence[tuple[str, str]]) -> None:
    """Messages wait for these templates, by (name, language): an operator hears of it until their states change."""
    for each in (await mirrored(tx, rt, keys)).values():
        await news.awaited(tx, rt, each)


async def refused(tx: Tx, rt: Runtime, name: str, language: str, code: int) -> list[str]:
    """Meta refused a send for its template: what that says of it holds at once, and Meta is asked for the rest.

    The keys of messages that need not wait any longer. A pause of one that is held already says no more than that; a
    disabling does.
    """
    status = _MEANS.get(code)
    row = await mirror.one(tx, rt, name, language)
    release: list[str] = []
    if status is not None and row is not None and row.mirrored.status in _SAYS_MORE_THAN[status]:
        after = with_changes(row, None, status=status, reason=f"Meta's {code}")
        release = await mirror.write(tx, rt, row, after)
    await mirror.ask_sync(tx, rt)
    return release


async def _unknown(
    tx: Tx, rt: Runtime, name: str, there: Sequence[Mirrored], at: str
) -> TemplateUnknownError:
    gone = [why.reason for each in there if isinstance(why := standing(each), Gone)]
    if gone:
        detail = f"The template {name} cannot be sent: {'; '.join(gone)}."
    elif there:
        has = ", ".join(each.language for each in there)
        detail = f"The template {name} is there in {has} only, which is no language for this person."
    else:
        return await unheard_of(tx, rt, name, at)
    return TemplateUnknownError(detail, faults=[Fault(detail, at)])


async def unheard_of(tx: Tx, rt: Runtime, name: str, at: str) -> TemplateUnknownError:
    """There is no template of this name in any language, with the name that may have been meant."""
    rows = await tx.fetch(
        "SELECT DISTINCT name FROM templates WHERE waba_id = $1 AND status <> 'DELETED'",
        rt.settings.whatsapp_business_account_id,
    )
    meant = near(name, [row["name"] for row in rows]) or "."
    detail = f"The account has no template {name}{meant} `sayso templates diff` shows what it has and lacks."
    return TemplateUnknownError(detail, faults=[Fault(detail, at)])
