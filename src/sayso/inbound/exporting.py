"""The consent ledger as a file, piece by piece: for the terminal and for the API."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from sayso.consent import chain, ledger, portable
from sayso.core.runtime import Runtime
from sayso.inbound.seeing import View


class Wanted(msgspec.Struct, frozen=True):
    """What of the ledger is exported: whose records, received when, seen by which assistant; None: no limit."""

    person_ids: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    view: View | None = None

    @property
    def extent(self) -> chain.Extent:
        """How whole it is, and with that how much of the chain can be verified."""
        if self.since is not None or self.until is not None or self.view is not None:
            return "some"
        return "all" if self.person_ids is None else "person"

    def holds(self, line: chain.Line) -> bool:
        """Whether an entry is of it."""
        return (
            (self.person_ids is None or line.person_id in self.person_ids)
            and (self.since is None or line.received_at >= self.since)
            and (self.until is None or line.received_at < self.until)
            and (self.view is None or self.view.sees(line))
        )


async def export_file(rt: Runtime, wanted: Wanted, form: str) -> AsyncIterator[str]:
    """The file, piece by piece; entries written while it is made are not in it."""
    async with rt.db.one() as tx:
        head = await ledger.head_of(tx)
    if head is None:
        raise RuntimeError("the ledger has lost its head")
    yield portable.opening(wanted.extent, head, rt.now()) if form == "json" else portable.csv_head()
    between, tally = "", chain.Tally()
    async for page in ledger.pages(rt, up_to=head.seq, person_ids=wanted.person_ids):
        for line in page:
            if not wanted.holds(line):
                continue
            shown = wanted.view.exported(line) if wanted.view else line
            tally.add(shown)
            if form == "json":
                yield between + msgspec.json.encode(portable.as_json(shown)).decode()
                between = ",\n"
            else:
                yield portable.csv_row(shown)
    if form == "json":
        yield portable.closing(tally.seal(wanted.extent, head, ledger.key(rt)))
