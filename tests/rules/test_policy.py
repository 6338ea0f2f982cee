"""The policy is a floor: what it asks for holds whatever an assistant wishes, and what it says wrongly is told."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations import policy, policy_file
from sayso.confirmations.policy import NONE, Demands, Policy, Wish
from sayso.core.errors import InputInvalidError, SettingError
from sayso.core.settings import TokenSettings

TEXT = """
version = "3"

[default]
tier = "low"
timeout_minutes = { default = 30, min = 5, max = 1440 }

[action.payment]
tier = "high"
challenge = "code"
approvers = ["alice", "bob", "carol"]
need = 2
escalation = [{ after = "10m", when = "unread", to = "dave" }]
undo_seconds = 30
use_by_minutes = 5
auto = [
  { name = "small", then = "allow", match = { amount = { lt = 20 }, currency = ["EUR", "USD"] } },
  { name = "huge", then = "deny", match = { amount = { ge = 10000 } } },
  { name = "night", then = "deny", match = { to = { country = { not = "DE" } } }, dry_run = true },
]

[caps]
person_hour = 10
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT, "utf-8")
    return path


def loaded(file: Path) -> Policy:
    found, findings = policy_file.read(file)
    assert findings == []
    assert found is not None
    return found


def pays(**changes: Any) -> Wish:
    return Wish(action_type="payment", **changes)


def refusals(found: Policy, wish: Wish) -> dict[str, str]:
    with pytest.raises(InputInvalidError) as raised:
        policy.resolve(found, wish)
    return {fault.pointer: fault.detail for fault in raised.value.faults}


def test_without_a_policy_the_simplest_question_is_what_it_always_was() -> None:
    rule = policy.resolve(NONE, Wish(action_type="calendar_create"))
    assert (rule.tier, rule.challenge, rule.approvers, rule.timeout_minutes) == ("low", None, None, 30)
    assert rule.data() == {
        "need": "any",
        "undo_s": 0,
        "remind_s": None,
        "extend_s": 0,
        "extends_left": 0,
        "ask_reason": False,
        "reactions": False,
        "use_by_s": None,
        "remind_by_template": False,
        "unseen_fields": False,
    }
    assert (NONE.stamp, NONE.caps.person_open, NONE.caps.client_day) == (None, 10, 10_000)


def test_what_an_action_leaves_out_is_as_in_the_default(file: Path) -> None:
    found = loaded(file)
    rule = policy.resolve(found, pays())
    assert (rule.tier, rule.challenge, rule.need, rule.undo_s, rule.use_by_s) == ("high", "code", 2, 30, 300)
    assert rule.timeout_minutes == 30
    assert rule.approvers == ["alice", "bob", "carol"]
    assert [step.to for step in rule.escalation] == ["dave"]
    assert policy.resolve(found, Wish(action_type="mail")).tier == "low"
    assert (found.caps.person_hour, found.caps.person_day) == (10, 100)


def test_an_assistant_may_ask_for_more_safety_and_never_for_less(file: Path) -> None:
    found = loaded(file)
    more = policy.resolve(found, Wish(action_type="mail", tier="medium", undo_seconds=10, need="all"))
    assert (more.tier, more.undo_s, more.need) == ("medium", 10, "all")
    less = policy.resolve(found, pays(tier="low", challenge="number", undo_seconds=1, need="any"))
    assert (less.tier, less.challenge, less.undo_s, less.need) == ("high", "code", 30, 2)
    assert policy.resolve(found, pays(need=3)).need == 3
    assert refusals(found, Wish(action_type="mail", challenge="code")) == {
        "/challenge": "is for tier high, and this is of tier low; ask for `tier` high, too"
    }
    assert policy.resolve(found, pays(approvers=["bob", "alice"])).approvers == ["bob", "alice"]


def test_what_the_policy_does_not_allow_is_told_at_its_field(file: Path) -> None:
    found = loaded(file)
    assert refusals(found, pays(timeout_minutes=2)) == {
        "/timeout_minutes": "the policy takes 5 to 1440 minutes for payment"
    }
    assert set(refusals(found, pays(recipient_named=True))) == {"/recipient"}
    assert refusals(found, pays(approvers=["alice", "eve"])) == {
        "/approvers": "the policy does not let eve approve payment"
    }
    assert refusals(found, pays(approvers=["alice"])) == {"/approvers": "2 approvals are needed, and 1 asked"}
    assert set(refusals(found, pays(escalation=[policy.Step(after="1h", to="eve")]))) == {"/escalation"}


def test_a_reminder_comes_after_the_question_or_is_refused_and_the_policys_own_refuses_nobody() -> None:
    shorter = {"/remind_minutes_before": "must be less than the 5 minutes in which it may be answered"}
    for minutes in (5, 60):
        assert refusals(NONE, pays(timeout_minutes=5, remind_minutes_before=minutes)) == shorter
    assert policy.resolve(NONE, pays(timeout_minutes=5, remind_minutes_before=4)).remind_s == 240
    assert set(refusals(NONE, pays(remind_minutes_before=30))) == {"/remind_minutes_before"}
    reminds = Policy(version="1", default=Demands(remind_minutes_before=10))
    assert policy.resolve(reminds, pays(timeout_minutes=5)).remind_s == 600


def test_what_need_not_be_seen_has_to_be_seen_at_the_highest_tier() -> None:
    found = Policy(version="1", default=Demands(unseen_fields=True))
    assert policy.resolve(found, Wish(action_type="x")).unseen_fields
    assert not policy.resolve(found, Wish(action_type="x", tier="high")).unseen_fields


def test_a_limit_is_a_number_or_none_at_all(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('version = "1"\n[caps]\nperson_day = "unlimited"\nclient_hour = 5\n', "utf-8")
    caps = loaded(path).caps
    assert (caps.person_day, caps.client_hour, caps.person_hour) == ("unlimited", 5, 20)


def test_all_of_the_policys_approvers_are_not_fewer_because_fewer_are_asked() -> None:
    found = Policy(version="1", default=Demands(approvers=["a", "b"], need="all"))
    assert set(refusals(found, Wish(action_type="x", approvers=["a"]))) == {"/approvers"}
    assert policy.resolve(found, Wish(action_type="x", approvers=["b", "a"])).needed(2) == 2


@pytest.mark.parametrize(
    ("action", "decided", "dry"),
    [
        ({"amount": 5, "currency": "EUR"}, "small", []),
        ({"amount": 5, "currency": "CHF"}, None, []),
        ({"amount": 20, "currency": "EUR"}, None, []),
        ({"amount": 10000, "currency": "EUR"}, "huge", []),
        ({"amount": True, "currency": "EUR"}, None, []),
        ({"amount": "5", "currency": "EUR"}, None, []),
        ({"currency": "EUR"}, None, []),
        ({"amount": 50, "to": {"country": "US"}}, None, ["night"]),
        ({"amount": 50, "to": {"country": "DE"}}, None, []),
        (None, None, []),
        ([5], None, []),
    ],
)
def test_rules_that_decide_by_themselves_match_what_they_name_and_nothing_else(
    file: Path, action: Any, decided: str | None, dry: list[str]
) -> None:
    found = policy.ruling(loaded(file), "payment", action)
    assert (found.decided and found.decided.name) == decided
    assert [rule.name for rule in found.dry] == dry
    assert policy.ruling(loaded(file), "mail", action).decided is None


def test_a_denial_counts_before_a_permission() -> None:
    both = [{"name": "yes", "then": "allow"}, {"name": "no", "then": "deny"}]
    found = Policy.model_validate({"version": "1", "default": {"auto": both}})
    ruled = policy.ruling(found, "x", {})
    assert ruled.decided is not None
    assert ruled.decided.name == "no"


@pytest.mark.parametrize(
    ("line", "where", "said"),
    [
        ('tier = "severe"', 9, "action.payment.tier: must be 'low', 'medium' or 'high', not \"severe\""),
        ("approver = 5", 9, "action.payment.approver: is not a key of a policy; do you mean approvers?"),
        ('need = "most"', 9, "action.payment.need"),
        ("undo_seconds = -1", 9, "action.payment.undo_seconds: must be at least 0, not -1"),
        ('escalation = [{ after = "soon", to = "x" }]', 9, "must be a span such as 90s, 10m, 2h or 1d"),
        ('auto = [{ name = "x", then = "maybe" }]', 9, "action.payment.auto.0.then"),
        ('auto = [{ name = "x", then = "deny", match = { a = { lt = "9" } } }]', 9, "match.a.lt must be a number"),
        ('auto = [{ name = "x", then = "deny", match = { a = { lt = 9, b = 1 } } }]', 9, "mixes lt with names"),
        ('approvers = ["a", "a"]', 8, "names an approver twice"),
        ('approvers = ["a", "b"]\nneed = 3', 8, "needs 3 of 2 approvers"),
        ("timeout_minutes = { min = 60 }", 9, "must have min <= default <= max"),
        ("[caps]\nperson_hour = 0", 10, "caps.person_hour"),
        ("[caps]\nclient_week = 5", 10, "caps.client_week: is not a key of a policy"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_key(tmp_path: Path, line: str, where: int, said: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        f'version = "1"\n\n[default]\nneed = "any"\n\n# payments\n\n[action.payment]\n{line}\n', "utf-8"
    )
    found, findings = policy_file.read(path)
    assert found is None
    assert said in str(findings[0])
    assert str(findings[0]).startswith(f"{path}:{where}: ")


@pytest.mark.parametrize(
    "text", ["", "version = 1", "version = [", 'version = "1"\ndigest = "x"', "\ufeff\x00"]
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text, "utf-8")
    found, findings = policy_file.read(path)
    assert found is None
    assert findings
    with pytest.raises(SettingError, match=r"p\.toml"):
        policy_file.load(TokenSettings(sayso_policy_file=path))


def test_a_changed_file_is_taken_up_and_a_broken_one_leaves_the_last_good_one_in_force(file: Path) -> None:
    settings = TokenSettings(sayso_policy_file=file)
    first = policy_file.load(settings)
    assert policy_file.load(settings) is first
    file.write_text(TEXT.replace('version = "3"', 'version = "4"') + "\n", "utf-8")
    second = policy_file.load(settings)
    assert (second.version, second.digest == first.digest) == ("4", False)
    file.write_text("version = ", "utf-8")
    assert policy_file.load(settings) is second
    file.unlink()
    assert policy_file.load(settings) is second
    assert policy_file.load(TokenSettings()) is NONE


def asked(**changes: Any) -> dict[str, Any]:
    action = {"action_type": "payment", "action": {"amount": 50}}
    return {
        "policy_version": "2+00",
        "action": action,
        "tier": "high",
        "needed": 2,
        "answer": None,
        **changes,
    }


BY_A_RULE = {"answer": {"how": "policy", "rule": "before"}, "needed": 1}


def test_what_was_asked_under_another_policy_holds_only_where_todays_would_have_allowed_it(
    file: Path,
) -> None:
    found = loaded(file)
    assert policy.still_allows(found, asked(), ["alice", "bob"]) is None
    assert policy.still_allows(found, asked(), ["dave", "bob"]) is None, "an escalation's person may approve"
    why = {
        "denies it (huge)": policy.still_allows(
            found, asked(action={"action_type": "payment", "action": {"amount": 20_000}})
        ),
        "asks for tier high, and it was asked at tier low": policy.still_allows(found, asked(tier="low")),
        "does not let eve approve it": policy.still_allows(found, asked(), ["alice", "eve"]),
        "needs 2 approvals, and it was asked for 1": policy.still_allows(found, asked(needed=1)),
    }
    assert [end for end, said in why.items() if said is None or not said.endswith(end)] == []
    assert policy.still_allows(found, asked(policy_version=found.stamp, needed=1)) is None
    assert policy.still_allows(NONE, asked(needed=1)) is None


def test_what_a_rule_decided_holds_only_where_todays_rules_allow_it(file: Path) -> None:
    found = loaded(file)

    def why(**action: Any) -> str:
        given = {"action_type": "payment", "action": action}
        return str(policy.still_allows(found, asked(action=given, **BY_A_RULE)))

    assert why(amount=5, currency="EUR") == "None"
    assert why(amount=50, currency="EUR").endswith("wants a person asked, and a rule decided it")
    assert why(amount=20_000, currency="EUR").endswith("denies it (huge)")


@given(
    tier=st.sampled_from(["low", "medium", "high"]),
    wished=st.sampled_from([None, "low", "medium", "high"]),
    need=st.one_of(st.sampled_from(["any", "all"]), st.integers(1, 3)),
    wished_need=st.one_of(st.sampled_from([None, "any", "all"]), st.integers(1, 4)),
    undo=st.integers(0, 60),
    wished_undo=st.one_of(st.none(), st.integers(0, 60)),
    named=st.one_of(st.none(), st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)),
)
def test_no_wish_gets_below_the_policy(
    tier: Any, wished: Any, need: Any, wished_need: Any, undo: int, wished_undo: int | None, named: Any
) -> None:
    demands = Demands(tier=tier, need=need, approvers=["a", "b", "c"], undo_seconds=undo)
    wish = Wish(action_type="x", tier=wished, need=wished_need, undo_seconds=wished_undo, approvers=named)
    try:
        rule = policy.resolve(Policy(version="1", default=demands), wish)
    except InputInvalidError:
        return
    order = ["low", "medium", "high"]
    assert order.index(rule.tier) >= order.index(tier)
    assert rule.undo_s >= undo
    assert rule.approvers is not None
    assert set(rule.approvers) <= {"a", "b", "c"}
    assert policy.needed(need, 3) <= rule.needed(len(rule.approvers)) <= len(rule.approvers)
