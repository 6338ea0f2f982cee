"""Definitions and the mirror held against Meta: synchronise, push, delete. Calls are made outside transactions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from sayso.core import claims
from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.errors import SaysoError
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.events import alerts
from sayso.templates import authentication, library, mirror
from sayso.templates.compare import Difference, body_of, differences, drifted
from sayso.templates.library import Kept
from sayso.templates.rows import Row, submitted, undecided
from sayso.templates.rules import Mirrored
from sayso.whatsapp.management import ManagementClient, RefusedByMetaError

log = structlog.get_logger("sayso.templates")

#: The account's row is its next comparison with Meta.
QUEUE: Final = Queue("template_syncs")

#: Statuses in which a template can be edited (cloud-api 3.4).
EDITABLE: Final = frozenset({"APPROVED", "REJECTED", "PAUSED"})
_ALERT: Final = "templates.sync"
_ALERT_AFTER: Final = 3
_RETRY_BASE_S: Final = 30.0
_MIME: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
}
#: What Meta's subcodes of a refused definition ask for (cloud-api 3.2), where its own sentence does not say it.
_HINTS: Final = {
    2388024: "there is one of this name and language already; run `sayso templates sync`",
    2388023: "this language was deleted not long ago; its name is blocked for up to 30 days",
    2388019: "the account has as many templates as it may have; delete some",
    2388039: "Meta does not let it be edited now: an approved template once in 24 hours, 10 times in 30 days",
}

Release = Callable[[Tx, Runtime, str], Awaitable[Any]]
Did = Literal["created", "edited", "unchanged", "refused", "skipped"]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a comparison found: templates (in each language) at Meta, and how many of them were news."""

    templates: int
    changed: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did with one language of one template; ``fields`` are those that differed.

    ``halts``: what was refused was not this definition but us (a token, a limit, no answer), so the rest is not tried.
    """

    name: str
    language: str
    did: Did
    status: str | None = None
    category: str | None = None
    fields: tuple[str, ...] = ()
    detail: str = ""
    halts: bool = False


@dataclass(slots=True)
class Registry:
    """``release`` makes the messages ready that wait for a template; ``folder`` has the user's definitions."""

    graph: ManagementClient
    release: Release
    folder: Path | None = None

    async def sync(self, rt: Runtime) -> Synced:
        """Make the mirror equal to what Meta has now."""
        began = rt.now()
        found = await self.graph.templates()
        kept = library.load(self.folder).kept
        async with rt.db.tx() as tx:
            keys, templates, changed = await mirror.take_in(tx, rt, found, began=began)
            keys += await _adopt(tx, rt, kept)
            for key in keys:
                await self.release(tx, rt, key)
            await mirror.look_at_reviews(tx, rt)
            await alerts.resolve(tx, rt, _ALERT)
        return Synced(templates, changed)

    async def handle(self, rt: Runtime, lease: Lease, row: Record) -> None:
        """The claimed work: compare, and book the next comparison; after a failure sooner, at growing intervals."""
        began = rt.now()
        every = timedelta(minutes=rt.settings.sayso_templates_sync_minutes)
        try:
            synced = await self.sync(rt)
        except SaysoError as error:
            pause = timedelta(
                seconds=min(every.total_seconds(), _RETRY_BASE_S * 2 ** min(row["tries"] - 1, 10))
            )
            log.warning("templates.sync_failed", detail=error.detail, tries=row["tries"])
            await self._failed(rt, lease, row, error.detail, pause)
            return
        if synced.changed:
            log.info("templates.synced", templates=synced.templates, changed=synced.changed)
        async with rt.db.tx() as tx:
            ended = await tx.execute(
                "UPDATE template_syncs SET work = CASE WHEN asked_at > $3 THEN 'ready' ELSE 'waiting' END, "
                "work_at = $4, worker = NULL, tries = 0, failed = NULL "
                "WHERE id = $1 AND worker = $2 AND work = 'running'",
                row["id"],
                lease.worker,
                began,
                rt.now() + every,
            )
            claims.check_fence(QUEUE, worker=lease.worker, ended=ended, of=1)

    async def _failed(self, rt: Runtime, lease: Lease, row: Record, detail: str, pause: timedelta) -> None:
        async with rt.db.tx() as tx:
            await tx.execute("UPDATE template_syncs SET failed = $2 WHERE id = $1", row["id"], detail)
            await claims.postpone(tx, QUEUE, worker=lease.worker, row_id=row["id"], until=rt.now() + pause)
            if row["tries"] >= _ALERT_AFTER:
                await alerts.raise_(
                    tx,
                    rt,
                    _ALERT,
                    severity="warning",
                    title="Templates cannot be compared with Meta",
                    detail=detail,
                    advice="Sending goes on by what is known; check the access token and its permissions.",
                )

    async def push(self, rt: Runtime, kept: Sequence[Kept], *, dry_run: bool = False) -> list[Pushed]:
        """Create at Meta what is missing and edit what differs; what Meta refuses does not stop the others."""
        await self.sync(rt)
        done: list[Pushed] = []
        for each in kept:
            async with rt.db.one() as tx:
                there = {
                    row.mirrored.language: row
                    for row in await mirror.listed(tx, rt, name=each.definition.name)
                }
            for language in each.definition.languages:
                halted = next((one.detail for one in done if one.halts), None)
                row = there.get(language)
                if halted is not None:
                    done.append(Pushed(each.definition.name, language, "skipped", detail=halted))
                else:
                    done.append(await self._push_one(rt, each, language, row, dry_run=dry_run))
        if any(each.did in ("created", "edited") for each in done) and not dry_run:
            await self.sync(rt)
            return [await _as_it_stands(rt, each) for each in done]
        return done

    async def _push_one(
        self, rt: Runtime, kept: Kept, language: str, row: Row | None, *, dry_run: bool
    ) -> Pushed:
        name, body = kept.definition.name, body_of(kept.definition, language)
        has = row.mirrored if row and row.mirrored.status != "DELETED" else None
        found = differences(body, has) if has else []
        plan = _plan(has, found)
        if plan.did in ("unchanged", "skipped") or dry_run:
            return Pushed(name, language, plan.did, *_standing(has), plan.fields, plan.detail)
        try:
            return await self._submit(rt, kept, language, has, found)
        except SaysoError as error:
            theirs = error.error if isinstance(error, RefusedByMetaError) else None
            hint = _HINTS.get(theirs.subcode or 0) if theirs else None
            detail = f"{error.detail} ({hint})" if hint else error.detail
            halts = theirs is None or theirs.code != _INVALID
            return Pushed(name, language, "refused", *_standing(has), plan.fields, detail, halts)

    async def _submit(
        self, rt: Runtime, kept: Kept, language: str, has: Mirrored | None, found: Sequence[Difference]
    ) -> Pushed:
        """The call itself, and what it means for the mirror."""
        body = body_of(kept.definition, language, await self._handles(kept, language))
        listed = {**body, "components": authentication.as_listed(body["components"])}
        name, fields = kept.definition.name, tuple(each.field for each in found)
        if has is None or has.meta_id is None:
            answer = await self.graph.create_template(body)
            told = {**listed, "id": answer.get("id"), "status": answer.get("status") or "PENDING"}
            category = str(answer.get("category") or body["category"])
            await self._write(rt, told | {"category": category}, body)
            return Pushed(name, language, "created", str(told["status"]), category, fields)
        edit = {key: value for key, value in body.items() if key not in ("name", "language")}
        if has.status == "APPROVED" or edit["category"] == has.category:
            del edit["category"]  # that of an approved one cannot be edited (cloud-api 3.4)
        before = await self._open(rt, name, language)
        try:
            await self.graph.edit_template(has.meta_id, edit)
        except SaysoError:
            await self._close(rt, name, language, before)
            raise
        told = {**listed, "id": has.meta_id, "status": has.status, "category": has.category}
        await self._write(rt, told, body)
        return Pushed(name, language, "edited", has.status, has.category, fields)

    async def _open(self, rt: Runtime, name: str, language: str) -> Mapping[str, Any] | None:
        """An edit begins: until it has ended nothing is wanted that could be drifted from; what was."""
        async with rt.db.tx() as tx:
            row = await mirror.one(tx, rt, name, language)
            if row is not None:
                await mirror.write(tx, rt, row, undecided(row))
        return row.wanted if row else None

    async def _close(self, rt: Runtime, name: str, language: str, wanted: Mapping[str, Any] | None) -> None:
        """An edit was refused: what was wanted before still is."""
        async with rt.db.tx() as tx:
            row = await mirror.one(tx, rt, name, language)
            if row is not None:
                after = Row(row.mirrored, row.correct_category, wanted, row.drift, row.told_at)
                await mirror.write(tx, rt, row, after)

    async def _write(self, rt: Runtime, told: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        async with rt.db.tx() as tx:
            before = await mirror.one(tx, rt, told["name"], told["language"])
            after = submitted(before, told, wanted)
            for key in await mirror.write(tx, rt, before, after):
                await self.release(tx, rt, key)

    async def _handles(self, kept: Kept, language: str) -> dict[str, str]:
        """Upload the examples of media headers, each file once; what stands for each."""
        headers = [header for _, header in kept.definition.languages[language].media()]
        handles: dict[str, str] = {}
        for file in dict.fromkeys(each.file for each in headers if each.file):
            path = (kept.folder or Path()) / file
            mime_type = _MIME.get(path.suffix.lower(), "application/octet-stream")
            data = path.read_bytes()
            handles[file] = await self.graph.upload(data, mime_type=mime_type, file_name=path.name)
        return handles

    async def delete(self, rt: Runtime, name: str, language: str | None = None) -> list[str]:
        """Delete a template at Meta, in one language or in all; the languages that were there."""
        async with rt.db.one() as tx:
            rows = [row for row in await mirror.listed(tx, rt, name=name) if row.mirrored.status != "DELETED"]
        chosen = [row.mirrored for row in rows if language in (None, row.mirrored.language)]
        if chosen:
            await self.graph.delete_template(name, chosen[0].meta_id if language else None)
            await self.sync(rt)
        return [each.language for each in chosen]

    async def unpause(self, rt: Runtime, name: str, language: str | None = None) -> dict[str, str | None]:
        """Take back a pause that pacing made, in one language or in all that are paused: for each, why not, or None.

        Meta takes back pauses for quality by itself, and no others (cloud-api 3.5).
        """
        async with rt.db.one() as tx:
            rows = [row.mirrored for row in await mirror.listed(tx, rt, name=name)]
        told: dict[str, str | None] = {}
        for each in rows:
            if each.status == "PAUSED" and each.meta_id and language in (None, each.language):
                answer = await self.graph.unpause_template(each.meta_id)
                done = answer.get("success") is True
                told[each.language] = None if done else str(answer.get("reason") or "Meta gives no reason")
        if told:
            await self.sync(rt)
        return told


_INVALID: Final = 100


@dataclass(frozen=True, slots=True)
class _Plan:
    did: Did
    fields: tuple[str, ...] = ()
    detail: str = ""


def _plan(has: Mirrored | None, found: Sequence[Difference]) -> _Plan:
    """What a push would do with one language."""
    fields = tuple(each.field for each in found)
    if has is None:
        return _Plan("created")
    if not found:
        return _Plan("unchanged")
    if has.status not in EDITABLE:
        return _Plan("skipped", fields, f"a template that is {has.status} cannot be edited; try again later")
    if has.status == "APPROVED" and fields == ("category",):
        detail = f"Meta files it as {has.category}, which cannot be edited once it is approved"
        return _Plan("skipped", fields, detail)
    return _Plan("edited", fields)


def _standing(has: Mirrored | None) -> tuple[str | None, str | None]:
    return (has.status, has.category) if has else (None, None)


async def _as_it_stands(rt: Runtime, pushed: Pushed) -> Pushed:
    """With the status and category of after the push: a review may have ended by now."""
    async with rt.db.one() as tx:
        rows = await mirror.listed(tx, rt, name=pushed.name)
    row = next((each for each in rows if each.mirrored.language == pushed.language), None)
    if row is None or pushed.did not in ("created", "edited"):
        return pushed
    at = row.mirrored
    detail = f"Meta's reason: {at.reason}" if at.status == "REJECTED" and at.reason else pushed.detail
    return Pushed(pushed.name, pushed.language, pushed.did, at.status, at.category, pushed.fields, detail)


async def _adopt(tx: Tx, rt: Runtime, kept: Mapping[str, Kept]) -> list[str]:
    """Take what Meta has for ours where it equals our definition: from here on a change there is drift."""
    keys: list[str] = []
    for row in await mirror.listed(tx, rt, lock=True):
        at = row.mirrored
        ours = kept.get(at.name)
        if row.wanted is not None or ours is None or at.language not in ours.definition.languages:
            continue
        wanted = body_of(ours.definition, at.language)
        if at.status != "DELETED" and not drifted(wanted, at):
            after = Row(at, row.correct_category, wanted, (), row.told_at)
            keys += await mirror.write(tx, rt, row, after, quiet=True)
    return keys
