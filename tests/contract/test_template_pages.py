"""GET /templates comes by the page: each template once, in order, however many go on a page."""

from typing import Any

from harness.contract import Contract, assert_problem
from sayso.templates import mirror


def entry(number: int, name: str, language: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [{"type": "BODY", "text": "Hello."}],
    }


async def test_the_pages_together_are_the_whole(api: Contract) -> None:
    there = [("a", "en"), ("a", "pt_BR"), ("a_b", "en"), ("ab", "de"), ("ab", "en"), ("b", "en")]
    listed = [entry(number, *each) for number, each in enumerate(there, start=20)]
    async with api.rt.db.tx() as tx:
        await mirror.take_in(tx, api.rt, listed, began=api.rt.now())
    whole = (await api.call("GET", "/templates")).json()
    assert whole["next"] is None
    names = [(each["name"], each["language"]) for each in whole["templates"]]
    assert set(there) <= set(names)
    for limit in (1, 2, len(names)):
        got: list[tuple[str, str]] = []
        after: str | None = ""
        while after is not None:
            page = (await api.call("GET", f"/templates?limit={limit}&after={after}")).json()
            assert len(page["templates"]) <= limit
            got += [(each["name"], each["language"]) for each in page["templates"]]
            after = page["next"]
        assert got == names


async def test_what_is_no_cursor_is_refused(api: Contract) -> None:
    for cursor in ("greeting", ".en", "A.en", "a.", "a.en.x", "a.1"):
        answer = await api.call("GET", f"/templates?after={cursor}")
        assert assert_problem(answer, 422, "input_invalid")["errors"][0]["pointer"] == "/after"
    for limit in ("0", "501", "many"):
        answer = await api.call("GET", f"/templates?limit={limit}")
        assert_problem(answer, 422, "input_invalid")
