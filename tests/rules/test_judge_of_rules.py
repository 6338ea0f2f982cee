"""The judge of what a rule of the policy decided: it says nothing of what is right, and each wrong thing."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from harness.kept import Proof, ruled

RULES: dict[str, dict[str, dict[str, Any]]] = {
    "7+ab": {
        "tiny": {"name": "tiny", "then": "allow"},
        "trial": {"name": "trial", "then": "allow", "dry_run": True},
    }
}
DECIDED: dict[str, Any] = {
    "id": "cnf_1",
    "outcome": "confirmed",
    "policy_version": "7+ab",
    "answer": {"how": "policy", "rule": "tiny"},
}
TOLD: dict[str, Any] = {"source": "policy", "policy_version": "7+ab", "approvals": []}
BY_PEOPLE: dict[str, Any] = {"id": "cnf_2", "outcome": "confirmed", "policy_version": None, "answer": None}


def judged(
    row: dict[str, Any], claims: dict[str, Any], messages: tuple[dict[str, Any], ...] = ()
) -> list[str]:
    payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    receipts = [{"confirmation_id": row["id"], "jws": f"e30.{payload}.c2ln"}]
    return list(ruled([row], messages, Proof(receipts), RULES))


def test_what_is_right_is_not_found_wrong() -> None:
    assert judged(DECIDED, TOLD) == []
    assert judged(BY_PEOPLE, {"source": "answer", "policy_version": None, "approvals": [{}]}) == []


@pytest.mark.parametrize(
    ("row", "claims", "messages", "caught"),
    [
        (DECIDED, TOLD, ({"confirmation_id": "cnf_1", "purpose": "prompt"},), "somebody was asked"),
        (DECIDED | {"answer": {"how": "policy", "rule": "trial"}}, TOLD, (), "only tried out"),
        (DECIDED | {"answer": {"how": "policy", "rule": "vast"}}, TOLD, (), "does not have"),
        (DECIDED | {"policy_version": None}, TOLD | {"policy_version": None}, (), "does not have"),
        (DECIDED | {"outcome": "declined"}, TOLD, (), "which says allow: declined"),
        (DECIDED, TOLD | {"source": "answer"}, (), "its receipt says"),
        (DECIDED, TOLD | {"policy_version": "6+ab"}, (), "its receipt says"),
        (DECIDED, TOLD | {"approvals": [{}]}, (), "its receipt says"),
        (BY_PEOPLE, TOLD, (), "and none did"),
    ],
)
def test_what_is_wrong_is_found(
    row: dict[str, Any], claims: dict[str, Any], messages: tuple[dict[str, Any], ...], caught: str
) -> None:
    assert [caught in sentence for sentence in judged(row, claims, messages)] == [True]
