"""pywa hears what changes about templates, people and the account."""

from typing import Any

import pytest
from pywa import types
from pywa.types import templates as t

from clients.python_business import PythonBusiness
from clients.stage import ANA, PHONE_ID


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "moderator"}


@pytest.fixture
def waiting(pywa: PythonBusiness) -> t.CreatedTemplate:
    """Submit a template that a moderator is to judge."""
    components: list[Any] = [t.BodyText("The meeting about {{1}} begins soon.", "it")]
    category = t.TemplateCategory.UTILITY
    return pywa.wa.create_template(
        t.Template(
            name="news",
            language=t.TemplateLanguage.ENGLISH_US,
            category=category,
            components=components,
        )
    )


def judged(pywa: PythonBusiness, template: t.CreatedTemplate, action: str, **more: Any) -> None:
    """Let the moderator act on a template."""
    pywa.meta.control("POST", f"/templates/{template.id}/{action}", more)


def test_a_template_is_rejected_with_a_reason(pywa: PythonBusiness, waiting: t.CreatedTemplate) -> None:
    assert waiting.status == t.TemplateStatus.PENDING
    judged(pywa, waiting, "reject", reason="INVALID_FORMAT", explanation="Odd", recommendation="Mend it")
    told = pywa.hears(t.TemplateStatusUpdate, template_id=waiting.id, new_status=t.TemplateStatus.REJECTED)
    assert told.reason == t.TemplateRejectionReason.INVALID_FORMAT
    assert told.rejection_info is not None
    assert told.rejection_info.recommendation == "Mend it"
    assert waiting.get().rejected_reason == t.TemplateRejectionReason.INVALID_FORMAT


def test_a_templates_quality_falls(pywa: PythonBusiness, waiting: t.CreatedTemplate) -> None:
    judged(pywa, waiting, "approve")
    judged(pywa, waiting, "quality", score="YELLOW")
    told = pywa.hears(t.TemplateQualityUpdate, template_id=waiting.id)
    assert told.new_quality_score == t.QualityScoreType.YELLOW
    found = waiting.get().quality_score
    assert found is not None
    assert found.score == t.QualityScoreType.YELLOW


def test_a_template_changes_its_category(pywa: PythonBusiness, waiting: t.CreatedTemplate) -> None:
    judged(pywa, waiting, "approve")
    judged(pywa, waiting, "recategorise", category="MARKETING")
    told = pywa.hears(t.TemplateCategoryUpdate, template_id=waiting.id)
    assert (told.previous_category, told.new_category) == (
        t.TemplateCategory.UTILITY,
        t.TemplateCategory.MARKETING,
    )
    assert waiting.get().previous_category == t.TemplateCategory.UTILITY


def test_somebody_moves_to_another_number(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    pywa.meta.control("POST", f"/people/{ANA}/change_number", {"to": "+15550004444"})
    told = pywa.hears(types.PhoneNumberChange)
    assert (told.old_wa_id, told.new_wa_id) == ("15550001111", "15550004444")
    assert "15550004444" in told.body


def test_somebody_gets_new_keys(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/numbers/{PHONE_ID}", {"identity_check": True})
    first = pywa.hears(types.Message, id=pywa.meta.person(text="hi")).from_user.identity_key_hash
    assert first
    pywa.meta.control("POST", f"/people/{ANA}/change_identity", {})
    told = pywa.hears(types.IdentityChange)
    assert told.identity.hash
    assert told.identity.hash != first


def test_somebody_hides_their_number_behind_a_username(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/people/{ANA}", {"username": "anaq", "phone_hidden": True})
    heard = pywa.hears(types.Message, id=pywa.meta.person(text="hi"))
    assert (heard.from_user.wa_id, heard.from_user.username) == (None, "anaq")
    sent = heard.reply_text("hello")
    assert sent.to == heard.from_user.bsuid
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
