"""pywa manages templates: creates, lists, reads, edits and deletes them, and hears of their review."""

import datetime as dt
from typing import Any

import pytest
from pywa import errors, types
from pywa.types import templates as t

from clients.python_business import PythonBusiness
from clients.stage import ANA

ENGLISH, GERMAN = t.TemplateLanguage.ENGLISH_US, t.TemplateLanguage.GERMAN
APPROVED = t.TemplateStatus.APPROVED
GIVEN = 3  # templates that are there from the start


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "instant"}


def reminder(name: str, language: t.TemplateLanguage = ENGLISH) -> t.Template:
    """Compose a small template."""
    return t.Template(
        name=name,
        language=language,
        category=t.TemplateCategory.UTILITY,
        components=[
            t.BodyText("Your meeting about {{1}} begins at {{2}} today.", "the report", "17:30"),
            t.FooterText(text="Reply STOP to opt out"),
            t.Buttons(buttons=[t.QuickReplyButton(text="I come"), t.QuickReplyButton(text="I cannot")]),
        ],
    )


def test_a_template_is_created_approved_and_told(pywa: PythonBusiness) -> None:
    created = pywa.wa.create_template(reminder("meeting_reminder"))
    told = pywa.hears(t.TemplateStatusUpdate, template_id=created.id, new_status=APPROVED)
    assert (told.template_name, told.template_language) == ("meeting_reminder", ENGLISH)
    found = created.get()
    assert (found.name, found.status, found.category) == ("meeting_reminder", APPROVED, created.category)
    assert found.parameter_format == t.ParamFormat.POSITIONAL
    assert repr(found.components) == repr(reminder("").components)


def test_a_template_with_named_variables_and_every_kind_of_button(pywa: PythonBusiness) -> None:
    buttons: list[t.BaseButtonComponent | dict[Any, Any]] = [
        t.QuickReplyButton(text="I come"),
        t.URLButton(text="Read", url="https://example.org/{{1}}", example="https://example.org/7"),
        t.PhoneNumberButton(text="Call", phone_number="+15550100000"),
        t.CopyCodeButton(example="SAVE25"),
    ]
    created = pywa.wa.create_template(
        t.Template(
            name="every_button",
            language=ENGLISH,
            category=t.TemplateCategory.MARKETING,
            parameter_format=t.ParamFormat.NAMED,
            components=[
                t.HeaderText("News from {{sender}} today", sender="Example"),
                t.BodyText("Hello {{name}}, there is something new.", name="Ana"),
                t.Buttons(buttons=buttons),
            ],
        )
    )
    found = created.get()
    assert found.parameter_format == t.ParamFormat.NAMED
    (told,) = [each for each in found.components if isinstance(each, t.Buttons)]
    assert [type(each) for each in told.buttons] == [type(each) for each in buttons]


def test_a_template_of_authentication(pywa: PythonBusiness) -> None:
    created = pywa.wa.create_template(
        t.Template(
            name="one_time_code",
            language=ENGLISH,
            category=t.TemplateCategory.AUTHENTICATION,
            message_send_ttl_seconds=60,
            components=[
                t.AuthenticationBody(add_security_recommendation=True),
                t.AuthenticationFooter(code_expiration_minutes=5),
                t.Buttons(buttons=[t.CopyCodeOTPButton(text="Copy")]),
            ],
        )
    )
    found = created.get()
    assert (found.category, found.message_send_ttl_seconds) == (t.TemplateCategory.AUTHENTICATION, 60)


def test_templates_are_listed_page_by_page(pywa: PythonBusiness) -> None:
    for number in range(4):
        pywa.wa.create_template(reminder(f"reminder_{'abcd'[number]}"))
    first = pywa.wa.get_templates(pagination=types.Pagination(limit=3))
    assert (len(first), first.has_next, first.has_previous) == (3, True, False)
    assert first.total_count == GIVEN + 4
    assert first.message_template_limit >= 250
    # pywa's own `next` cannot make another TemplatesResult; its cursors do
    after = types.Pagination(limit=3, after=first.after)
    second = pywa.wa.get_templates(pagination=after)
    third = pywa.wa.get_templates(pagination=types.Pagination(limit=3, after=second.after))
    assert (len(second), len(third), third.has_next, third.has_previous) == (3, 1, False, True)
    names = [each.name for page in (first, second, third) for each in page]
    assert len(set(names)) == GIVEN + 4
    back = pywa.wa.get_templates(pagination=types.Pagination(limit=3, before=second.before))
    assert [each.name for each in back] == [each.name for each in first]


def test_templates_are_filtered(pywa: PythonBusiness) -> None:
    for language in (ENGLISH, GERMAN):
        pywa.wa.create_template(reminder("meeting_reminder", language))

    def found(**by: Any) -> list[tuple[str, str]]:
        return sorted((each.name, each.language.value) for each in pywa.wa.get_templates(**by))

    both = [("meeting_reminder", "de"), ("meeting_reminder", "en_US")]
    assert found(name="meeting_reminder") == both
    assert found(languages=[GERMAN]) == both[:1]
    assert found(name="meeting_reminder", languages=[GERMAN, ENGLISH]) == both
    assert found(statuses=[t.TemplateStatus.REJECTED]) == []
    assert len(found(statuses=[APPROVED, t.TemplateStatus.PAUSED])) == GIVEN + 2
    assert found(categories=[t.TemplateCategory.MARKETING]) == []


def test_a_template_is_edited(pywa: PythonBusiness) -> None:
    created = pywa.wa.create_template(reminder("meeting_reminder"))
    body = t.BodyText("The meeting about {{1}} is moved to {{2}} today.", "the report", "18:30")
    updated = pywa.wa.update_template(created.id, new_components=[body])
    assert (updated.success, updated.id, updated.name) == (True, created.id, "meeting_reminder")
    assert repr(created.get().components) == repr([body])


def test_a_template_is_deleted_in_one_language_or_all(pywa: PythonBusiness) -> None:
    english = pywa.wa.create_template(reminder("meeting_reminder"))
    german = pywa.wa.create_template(reminder("meeting_reminder", GERMAN))
    assert pywa.wa.delete_template("meeting_reminder", template_id=english.id)
    assert [each.id for each in pywa.wa.get_templates(name="meeting_reminder", statuses=[APPROVED])] == [
        german.id
    ]
    assert pywa.wa.delete_template("meeting_reminder")
    assert not list(pywa.wa.get_templates(name="meeting_reminder", statuses=[APPROVED]))


def test_a_template_is_archived_at_the_other_host_and_brought_back(pywa: PythonBusiness) -> None:
    created = pywa.wa.create_template(reminder("meeting_reminder"))
    archived = pywa.wa.archive_templates([created.id])
    assert archived.archived == (created.id,)
    assert created.get().status == t.TemplateStatus.ARCHIVED
    assert pywa.wa.unarchive_templates([created.id]).unarchived == (created.id,)
    assert created.get().status == APPROVED


def test_a_second_template_of_the_same_name_and_language(pywa: PythonBusiness) -> None:
    pywa.wa.create_template(reminder("meeting_reminder"))
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.create_template(reminder("meeting_reminder"))
    assert (refused.value.code, refused.value.subcode) == (100, 2388024)
    assert refused.value.user_msg


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        (t.BodyText("{{1}} begins soon, be there.", "It"), 2388299),
        (t.BodyText("It begins soon at {{1}}", "17:30"), 2388299),
        (t.BodyText("x" * 1025), 2388040),
        (t.BodyText("A {{1}} b {{2}} c", "1", "2"), 2388293),
    ],
)
def test_a_template_that_breaks_a_rule(pywa: PythonBusiness, body: t.BodyText, subcode: int) -> None:
    broken = t.Template(
        name="broken", language=ENGLISH, category=t.TemplateCategory.UTILITY, components=[body]
    )
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.create_template(broken)
    assert (refused.value.code, refused.value.subcode) == (100, subcode)


def test_two_templates_are_compared(pywa: PythonBusiness) -> None:
    one, other = (pywa.wa.get_templates(name=name)[0].id for name in ("hello_world", "daily_summary"))
    sent = pywa.wa.send_template(ANA, "hello_world", ENGLISH, params=[])
    pywa.delivers(sent)
    now = dt.datetime.fromtimestamp(pywa.meta.control("GET", "/clock")["now"], dt.UTC)
    week = {"start": now - dt.timedelta(days=7), "end": now + dt.timedelta(minutes=1)}
    compared = pywa.wa.compare_templates(one, other, **week)
    assert compared.times_sent == {one: 1, other: 0}
    assert set(compared.block_rate or ()) == {one, other}
