"""Messages exactly as the sheet's examples have them, and as real clients word theirs: all are taken (2.1 to 2.5)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.conftest import Graph

EXAMPLES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "examples").glob("*.json"))
}


@pytest.mark.parametrize("case", EXAMPLES)
async def test_taken_as_it_is(graph: "Graph", case: str) -> None:
    answer = await graph.call("POST", "/v25.0/100000000000001/messages", json=EXAMPLES[case])
    assert answer.status == 200, answer.json
    assert answer.json["messaging_product"] == "whatsapp"
    assert answer.json["contacts"] == [{"input": "+15550001111", "wa_id": "15550001111"}]
    assert [sorted(each) for each in answer.json["messages"]] == [["id"]], (
        "message_status is for templates (2.2)"
    )
