"""The examples of docs/events.md, and which events of a database are told otherwise than they show."""

import json
import re
from pathlib import Path
from typing import Any

from harness import evidence

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")


def examples() -> list[dict[str, Any]]:
    """Every example of the page."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    return [json.loads(line) for line in block.splitlines()]


def members() -> set[tuple[str, frozenset[str]]]:
    """The members that the data of each type may have."""
    return {(event["type"], frozenset(event["data"])) for event in examples()}


async def told_otherwise(dsn: str) -> list[str]:
    """Events of a database whose data has other members than every example of their type."""
    told = await evidence.rows(dsn, "SELECT DISTINCT type, data FROM events WHERE NOT data ? 'erased'")
    found = {(row["type"], frozenset(row["data"])) for row in told} - members()
    return sorted(f"{kind}: {', '.join(sorted(names))}" for kind, names in found)
