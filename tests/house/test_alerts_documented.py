"""The keys of alerts and their table say the same, and no key is there that nothing raises."""

import re
from pathlib import Path

from sayso.events import alerts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "senders.md"


def documented(page: str) -> set[str]:
    """What stands in the first cells of the table below "Alerts", without what follows a key's first colon."""
    table = page.partition("## Alerts")[2]
    cells = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    return {key.partition(":")[0] for cell in cells for key in re.findall(r"`([^`]+)`", cell)}


def test_every_key_has_a_row_and_every_row_a_key() -> None:
    assert documented(PAGE.read_text("utf-8")) == alerts.KEYS


def test_no_key_is_kept_that_nothing_raises() -> None:
    own = Path(alerts.__file__)
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "sayso").rglob("*.py") if path != own)
    ends = {key: key.rpartition(".")[2] for key in alerts.KEYS}
    assert [key for key, end in ends.items() if not re.search(rf'"(?:[a-z]+\.)?{end}[":]', code)] == []


def test_an_undocumented_key_would_be_noticed() -> None:
    page = "| `sender.none` | x |\n## Alerts\n\n| key | when |\n|---|---|\n| `a.b:<id>`, `c` | x `d` |\n| `e:…` | x |"
    assert documented(page) == {"a.b", "c", "e"}
