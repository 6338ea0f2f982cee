"""The pages about asking and the policy say what is so, and the command about the policy says it in sentences."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sayso.cli import reading
from sayso.cli.main import app
from sayso.confirmations import kinds, phrases, policy_file
from sayso.confirmations.caps import Caps
from sayso.confirmations.policy import Demands
from sayso.confirmations.requests import ConfirmationIn
from sayso.core.errors import InputInvalidError

DOCS = Path(__file__).parents[2] / "docs"
ASKING = (DOCS / "asking.md").read_text("utf-8")
POLICY = (DOCS / "policy.md").read_text("utf-8")


def example(page: str, kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def keys_of(page: str) -> set[str]:
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(example(POLICY, "toml"), "utf-8")
    return path


def ran(*words: Any) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["policy", *map(str, words)])
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_the_example_of_a_policy_is_one_and_every_key_has_a_row(file: Path) -> None:
    found, findings = policy_file.read(file)
    assert findings == []
    assert found is not None
    assert keys_of(POLICY) == {*Demands.model_fields, *Caps.model_fields}


def test_the_example_of_a_question_is_taken_and_every_other_field_has_a_row() -> None:
    body = ConfirmationIn.model_validate_json(example(ASKING, "json"))
    assert keys_of(ASKING) == set(ConfirmationIn.model_fields) - set(body.model_dump(exclude_unset=True))


def test_the_example_of_a_kind_shows_its_fields_in_the_persons_language(tmp_path: Path) -> None:
    (tmp_path / "invoice.toml").write_text(example(ASKING, "toml"), "utf-8")
    kind = kinds.kind("invoice_pay", tmp_path)
    action = {"currency": "EUR", "supplier": {"name": "Acme", "city": "Ulm"}, "total": 12.5}
    assert [line.text for line in kinds.lines(kind, action, "de")] == [
        "Summe: “12.5 EUR”",
        "Lieferant: “Acme”",
        "supplier · city: “Ulm”",
    ]


LANGUAGES = {
    "Arabic": "ar", "Dutch": "nl", "English": "en", "French": "fr", "German": "de", "Hindi": "hi", "Indonesian": "id",
    "Italian": "it", "Japanese": "ja", "Polish": "pl", "Portuguese": "pt", "Spanish": "es", "Turkish": "tr",
}  # fmt: skip


def test_every_language_of_the_frame_is_told() -> None:
    [told] = re.findall(r"The frame is there in ([^.]*)\.", ASKING)
    named = re.findall(r"[A-Z][a-z]+", told)
    assert sorted(LANGUAGES[each] for each in named) == sorted(phrases.languages())


def test_the_command_checks_and_explains(file: Path, tmp_path: Path) -> None:
    code, said = ran("check", "--file", file)
    assert (code, "version 3+" in said) == (0, True)
    request = tmp_path / "request.json"
    request.write_text('{"action_type": "payment", "action": {"amount": 15, "currency": "EUR"}}', "utf-8")
    code, said = ran("explain", request, "--file", file)
    assert code == 0
    assert "tier high: the person types a code from the text" in said
    assert "after 10m +15550003333 is asked, when unread" in said
    assert "The rule “small” would allow it; it is a dry run." in said
    request.write_text('{"action_type": "payment", "action": {"amount": 15000}}', "utf-8")
    assert ran("explain", request, "--file", file) == (
        0,
        "payment is declined at once by the rule “too much”. ",
    )


def test_the_command_names_each_fault_and_its_line(file: Path) -> None:
    file.write_text(example(POLICY, "toml").replace('"high"', '"hihg"'), "utf-8")
    code, said = ran("check", "--file", file)
    assert code == 1
    assert ":8: action.payment.tier: must be 'low', 'medium' or 'high', not \"hihg\"" in said


def test_a_request_that_is_no_json_is_told_where(tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"action_type": payment}', "utf-8")
    with pytest.raises(
        InputInvalidError, match=r"request\.json is not JSON in line 1, column 17: a value is expected"
    ):
        reading.json_of(request)
