"""What the pages call things, what they let be seen, and whom their door lets in."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.requests import Request

from harness.service import TOKENS, settings, token
from sayso.confirmations import steps
from sayso.confirmations.policy import When
from sayso.confirmations.rules import How, Outcome, Verdict, Why
from sayso.confirmations.views import ApproverOut, ExecutionOut, Status
from sayso.core.errors import ForbiddenError, UnauthenticatedError
from sayso.core.runtime import Runtime
from sayso.dashboard import render, signing_in, words
from sayso.dashboard.bubbles import HIDDEN, bubble
from sayso.dashboard.signing_in import MOST_ADDRESSES, MOST_REFUSED, SCOPES, WITHIN, Attempts, Door
from sayso.events import deliveries
from sayso.messages import views as messages
from sayso.templates.library import load
from sayso.templates.preview import as_mirrored

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 日本", "plain, ünïcode, 日本"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("pay \u202e001$", "pay ⟨U+202E⟩001$"),
        ("a\u200bb\u2066c\u2069", "a⟨U+200B⟩b⟨U+2066⟩c⟨U+2069⟩"),
        ("bell\x07 null\x00 del\x7f", "bell⟨U+0007⟩ null⟨U+0000⟩ del⟨U+007F⟩"),
        ("tag\U000e0041 soft\xad", "tag⟨U+E0041⟩ soft⟨U+00AD⟩"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("pay\u200dpal", "pay⟨U+200D⟩pal"),
        ("\u200d\u200d", "⟨U+200D⟩⟨U+200D⟩"),
    ],
)
def test_what_cannot_be_seen_is_named_and_everything_else_stays(text: str, shown: str) -> None:
    assert words.visible(text) == shown


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (words.OUTCOMES, Outcome),
        (words.HOW, How),
        (words.VERDICTS, Verdict),
        (words.EFFECTS, Why),
        (words.STANDS, steps.State),
        (words.LOST, steps.Lost),
        (words.BECAUSE_NOT, When),
        (words.BECAUSE, ApproverOut.model_fields["because"].annotation),
        (words.EXECUTIONS, ExecutionOut.model_fields["status"].annotation),
        (words.MESSAGES, messages.State),
        (words.DELIVERIES, deliveries.State),
        ({**words.OPEN, "decided": "by its outcome"}, Status),
    ],
)
def test_everything_that_can_be_said_of_a_question_has_words(said: Mapping[str, Any], values: Any) -> None:
    assert set(get_args(values)) <= set(said)
    if said not in (
        words.VERDICTS,
        words.EFFECTS,
    ):  # which hold more than answers that decide, or decide nothing
        assert set(said) == set(get_args(values))


def test_what_has_no_words_yet_is_told_as_it_is_stored() -> None:
    for of in (words.outcome, words.effect, words.of_approver, words.of_execution, words.of_message):
        assert of("put_off") in (("put off", "plain"), ("put_off", "plain"))
    assert words.of_delivery("put_off") == ("put_off", "plain")
    assert (words.because("x"), words.lost("y"), words.how("z"), words.verdict("v")) == ("x", "y", "z", "v")
    assert words.standing({"status": "put_off", "frozen_why": None}).word == "put_off"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.6, "1 min"), (65, "1 min 5 s"), (3600, "1 h"), (93_784, "1 d 2 h"), (-3, "0 s")],
)
def test_a_span_has_at_most_two_units(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


def test_of_an_address_nothing_secret_is_shown() -> None:
    assert words.place("https://me:pw@x.example:8443/hook?key=secret#f") == "https://x.example:8443/hook"


def test_a_page_escapes_and_shows_whatever_it_is_told() -> None:
    answer = render.lost(None, "<script>alert(1)</script> \u202e'\"&")
    text = bytes(answer.body).decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ⟨U+202E⟩&#39;&#34;&amp;" in text
    assert "<script" not in text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_code_is_not_in_the_bubble_while_it_is_hidden() -> None:
    content: dict[str, Any] = {
        "type": "buttons",
        "body": "reply 4711",
        "buttons": [{"id": "x", "title": "N"}],
    }
    assert bubble(content, None, "4711").body == f"reply {HIDDEN}"
    assert bubble(content, None).body == "reply 4711"
    template = {"type": "template", "name": "t", "language": "en", "parameters": ["Ana", "4711"]}
    assert bubble(template, None, "4711").body == f"{{{{1}}}} Ana\n{{{{2}}}} {HIDDEN}"


def test_a_template_is_filled_as_meta_has_it(tmp_path: Path) -> None:
    definition = load(tmp_path).kept["confirmation_request"].definition
    parameters = ["Ana", "send it", "today"]
    content = {"type": "template", "name": "confirmation_request", "language": "en", "parameters": parameters}
    drawn = bubble(content, as_mirrored(definition, "en"))
    assert all(each in drawn.body for each in parameters)
    assert drawn.buttons == ("Confirm", "Decline", "Cancel")


def door(now: datetime = NOW) -> tuple[Door, Runtime]:
    configured = settings("postgresql://nowhere", base_url="http://127.0.0.1:1", data_dir=Path("/nowhere"))
    return Door.of(TOKENS), Runtime(configured, None, now=lambda: now)  # type: ignore[arg-type] # asks no database


def issued(*scopes: str, ttl: timedelta = timedelta(days=1)) -> str:
    return TOKENS.issue(user="me", client="bot", scopes=scopes, ttl=ttl, now=NOW, token_id="t1")


def test_the_cookie_opens_the_pages_and_nothing_else_and_ends_within_the_hour() -> None:
    gate, rt = door()
    cookie, lives = gate.cookie(rt, issued(*SCOPES, "messages:send"))
    assert lives == timedelta(hours=1)
    with pytest.raises(UnauthenticatedError):
        TOKENS.actor(cookie, now=NOW)
    inside = gate.reader(request(cookies=cookie), NOW)
    assert inside is not None
    assert (inside.client_id, inside.scopes) == ("bot", frozenset(SCOPES))
    assert gate.reader(request(cookies=cookie), NOW + timedelta(hours=2)) is None
    assert gate.reader(request(cookies=issued(*SCOPES)), NOW) is None, "a token of the API is no cookie"


def test_the_cookie_lives_no_longer_than_the_token() -> None:
    gate, rt = door()
    _, lives = gate.cookie(rt, issued("admin", ttl=timedelta(minutes=5)))
    assert lives == timedelta(minutes=5)
    gate, later = door(NOW + timedelta(minutes=5, seconds=1))
    with pytest.raises(UnauthenticatedError):
        gate.cookie(later, issued("admin", ttl=timedelta(minutes=5)))


@pytest.mark.parametrize("missing", SCOPES)
def test_a_token_without_one_of_the_scopes_is_refused_by_its_name(missing: str) -> None:
    gate, rt = door()
    with pytest.raises(ForbiddenError, match=missing):
        gate.cookie(rt, issued(*(scope for scope in SCOPES if scope != missing)))


def test_too_many_refused_tokens_make_an_address_wait_and_no_other() -> None:
    attempts = Attempts()
    for _ in range(MOST_REFUSED):
        assert not attempts.must_wait("a", NOW)
        attempts.refused("a", NOW)
    assert attempts.must_wait("a", NOW)
    assert not attempts.must_wait("b", NOW)
    assert not attempts.must_wait("a", NOW + WITHIN)


def test_addresses_are_remembered_up_to_a_number() -> None:
    attempts = Attempts()
    for number in range(MOST_ADDRESSES + 5):
        attempts.refused(str(number), NOW)
    assert len(attempts._refused) == MOST_ADDRESSES
    assert "0" not in attempts._refused


def request(*, cookies: str = "", **headers: str) -> Request:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    told += [(b"cookie", f"{signing_in.COOKIE}={cookies}".encode())] if cookies else []
    return Request({"type": "http", "method": "POST", "path": "/", "scheme": "http", "headers": told})


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "same-site"}, True),
        ({"sec_fetch_site": "cross-site", "origin": "http://ours", "host": "ours"}, True),
        ({"origin": "http://ours:8000", "host": "ours:8000"}, False),
        ({"origin": "http://theirs", "host": "ours"}, True),
        ({"origin": "null", "host": "ours"}, True),
    ],
)
def test_a_form_of_another_site_is_known_by_what_the_browser_says(
    headers: dict[str, str], *, elsewhere: bool
) -> None:
    assert signing_in.from_elsewhere(request(**headers)) is elsewhere


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "//evil.example/dashboard/confirmations",
        "https://evil.example",
        "/dashboard/confirmations\\evil",
        "/dashboard/confirmations\r\nset-cookie: x=1",
        "/dashboard/logout",
        "/api/v1/whatsapp/messages",
    ],
)
def test_after_signing_in_one_is_on_a_page_of_ours(wanted: str) -> None:
    assert signing_in.way_back(wanted) == "/dashboard/confirmations"


def test_after_signing_in_one_is_where_one_wanted_to_be() -> None:
    for wanted in ("/dashboard/confirmations/cnf_1", "/dashboard/confirmations?status=held&before=cnf_1"):
        assert signing_in.way_back(wanted) == wanted


def test_a_token_of_the_tests_is_enough() -> None:
    gate, rt = door(datetime.now(UTC))
    assert gate.cookie(rt, token())[1] == signing_in.LIVES
