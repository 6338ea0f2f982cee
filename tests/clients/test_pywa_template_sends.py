"""pywa sends templates it created: every kind of component, by position and by name."""

import datetime as dt
from typing import Any

import pytest
from pywa import errors, types
from pywa.types import templates as t

from clients.files import PDF, PNG, Shelf
from clients.python_business import PythonBusiness, body, header
from clients.stage import ANA

ENGLISH = t.TemplateLanguage.ENGLISH_US
UTILITY, MARKETING = t.TemplateCategory.UTILITY, t.TemplateCategory.MARKETING


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "instant", "marketing_cap": 100}


def created(
    pywa: PythonBusiness, category: t.TemplateCategory, *components: t.TemplateBaseComponent, **more: Any
) -> t.TemplateDetails:
    """Create a template and wait until it can be sent."""
    template = t.Template(
        name="made_here", language=ENGLISH, category=category, components=list(components), **more
    )
    made = pywa.wa.create_template(template)
    pywa.hears(t.TemplateStatusUpdate, template_id=made.id, new_status=t.TemplateStatus.APPROVED)
    return made.get()


def arrived(pywa: PythonBusiness, sent: types.sent_update.SentTemplate) -> Any:
    """Return what arrived, once it was delivered."""
    assert sent.status == types.sent_update.SentTemplateStatus.ACCEPTED
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    return pywa.meta.arrived(sent.id)


def test_a_template_without_variables(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_template(ANA, "hello_world", ENGLISH, params=[], tracker="job:7")
    assert "Welcome and congratulations!!" in arrived(pywa, sent)["shown"]
    assert pywa.status(sent.id, types.MessageStatusType.READ).tracker == "job:7"


def test_variables_by_position_with_money_and_a_date(pywa: PythonBusiness) -> None:
    template = created(
        pywa,
        UTILITY,
        t.HeaderText("Order {{1}} is here", "7"),
        t.BodyText("Your order of {{1}} for {{2}} was paid on {{3}} by card.", "tea", "$10.99", "May 1"),
    )
    money = t.Currency(fallback_value="$12.50", code="USD", amount_1000=12500)
    day = t.DateTime(fallback_value="March 3, 2027")
    sent = template.send(ANA, [header("812"), body("coffee", money, day)])
    shown = arrived(pywa, sent)["shown"]
    assert "Order 812 is here" in shown
    assert "coffee for $12.50 was paid on March 3, 2027" in shown


def test_variables_by_name(pywa: PythonBusiness) -> None:
    template = created(
        pywa,
        UTILITY,
        t.HeaderText("Request by {{assistant}} now", assistant="Helper"),
        t.BodyText("Please do confirm {{action}} before {{deadline}} today.", action="it", deadline="17:30"),
        parameter_format=t.ParamFormat.NAMED,
    )
    sent = template.send(ANA, [header(assistant="Ops"), body(action="Build 812", deadline="18:00")])
    shown = arrived(pywa, sent)["shown"]
    assert "Request by Ops now" in shown
    assert "Please do confirm Build 812 before 18:00 today." in shown


def test_quick_replies_bring_their_data_back(pywa: PythonBusiness) -> None:
    buttons = t.Buttons(buttons=[t.QuickReplyButton(text="I come"), t.QuickReplyButton(text="I cannot")])
    template = created(pywa, UTILITY, t.BodyText("The meeting begins soon."), buttons)
    params = [
        t.QuickReplyButton.params(callback_data="come:7", index=0),
        t.QuickReplyButton.params(callback_data="not:7", index=1),
    ]
    sent = template.send(ANA, list(params))
    arrived(pywa, sent)
    wamid = pywa.meta.person(tap={"message_id": sent.id, "button": "I cannot"})
    heard = pywa.hears(types.CallbackButton, id=wamid)
    assert (heard.data, heard.title, heard.is_quick_reply) == ("not:7", "I cannot", True)


def test_a_quick_reply_without_data_brings_its_words_back(pywa: PythonBusiness) -> None:
    buttons = t.Buttons(buttons=[t.QuickReplyButton(text="I come")])
    template = created(pywa, UTILITY, t.BodyText("The meeting begins soon."), buttons)
    sent = template.send(ANA, [], validate=False)
    arrived(pywa, sent)
    wamid = pywa.meta.person(tap={"message_id": sent.id, "button": 0})
    assert pywa.hears(types.CallbackButton, id=wamid).data == "I come"


def test_a_link_that_ends_in_a_variable_and_a_code_to_copy(pywa: PythonBusiness) -> None:
    buttons = [
        t.URLButton(text="Look", url="https://example.org/{{1}}", example="https://example.org/7"),
        t.CopyCodeButton(example="SAVE25"),
    ]
    template = created(pywa, MARKETING, t.BodyText("There is an offer."), t.Buttons(buttons=list(buttons)))
    sent = template.send(
        ANA,
        [
            t.URLButton.params(url_variable="a/b?c=8", index=0),
            t.CopyCodeButton.params(coupon_code="SAVE30", index=1),
        ],
    )
    assert arrived(pywa, sent)["buttons"][0] == "Look"


@pytest.mark.parametrize("by", ["link", "upload"])
def test_a_picture_above(pywa: PythonBusiness, shelf: Shelf, by: str) -> None:
    picture = t.HeaderImage(example=PNG, mime_type="image/png")  # uploaded first, resumably
    template = created(pywa, UTILITY, picture, t.BodyText("Here is your picture."))
    image = shelf.link("photo.jpg") if by == "link" else PNG
    sent = template.send(ANA, [t.HeaderImage.params(image=image, mime_type="image/png")], validate=False)
    (component,) = arrived(pywa, sent)["template"]["components"]
    (parameter,) = component["parameters"]
    assert list(parameter["image"]) == ["link" if by == "link" else "id"]


def test_a_document_above(pywa: PythonBusiness, shelf: Shelf) -> None:
    report = t.HeaderDocument(example=PDF, mime_type="application/pdf")
    template = created(pywa, UTILITY, report, t.BodyText("Here is your report."))
    params = t.HeaderDocument.params(document=shelf.link("report.pdf"), filename="7.pdf")
    sent = template.send(ANA, [params], validate=False)
    (component,) = arrived(pywa, sent)["template"]["components"]
    assert component["parameters"][0]["document"] == {"link": shelf.link("report.pdf"), "filename": "7.pdf"}


def test_a_place_above(pywa: PythonBusiness) -> None:
    template = created(pywa, UTILITY, t.HeaderLocation(), t.BodyText("We meet here."))
    place = t.HeaderLocation.params(lat=48.8584, lon=2.2945, name="Tower", address="Champ de Mars 5")
    assert "Tower" in arrived(pywa, template.send(ANA, [place]))["shown"]


def test_an_offer_that_ends(pywa: PythonBusiness) -> None:
    offer = t.LimitedTimeOffer(text="Ends soon", has_expiration=True)
    code = t.Buttons(
        buttons=[
            t.CopyCodeButton(example="SAVE25"),
            t.URLButton(text="Look", url="https://example.org/{{1}}", example="https://example.org/7"),
        ]
    )
    template = created(pywa, MARKETING, t.BodyText("There is an offer."), offer, code)
    ends = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    params = [
        t.LimitedTimeOffer.params(expiration_time=ends),
        t.CopyCodeButton.params(coupon_code="SAVE30", index=0),
        t.URLButton.params(url_variable="8", index=1),
    ]
    assert "There is an offer." in arrived(pywa, template.send(ANA, list(params)))["shown"]


def test_cards(pywa: PythonBusiness, shelf: Shelf) -> None:
    def card() -> t.CarouselCard:
        reply = t.QuickReplyButton(text="This one")
        picture = t.HeaderImage(example=PNG, mime_type="image/png")
        text = t.BodyText("For {{1}} only, today.", "you")
        return t.CarouselCard(components=[picture, text, t.Buttons(buttons=[reply])])

    template = created(pywa, MARKETING, t.BodyText("Look at these."), t.Carousel(cards=[card(), card()]))
    filled = [
        t.CarouselCard.params(
            index=place,
            params=[
                t.HeaderImage.params(image=shelf.link("photo.jpg")),
                body("Ana"),
                t.QuickReplyButton.params(callback_data=f"card:{place}", index=0),
            ],
        )
        for place in range(2)
    ]
    sent = template.send(ANA, [t.Carousel.params(cards=filled)], validate=False)
    assert "For Ana only, today." in arrived(pywa, sent)["shown"]


def test_a_one_time_code(pywa: PythonBusiness) -> None:
    template = created(
        pywa,
        t.TemplateCategory.AUTHENTICATION,
        t.AuthenticationBody(add_security_recommendation=True),
        t.Buttons(buttons=[t.CopyCodeOTPButton(text="Copy")]),
    )
    params = [t.AuthenticationBody.params(otp="123456"), t.CopyCodeOTPButton.params(otp="123456")]
    sent = template.send(ANA, list(params), validate=False)  # pywa's own check overlooks its OTP parameters
    assert "123456" in arrived(pywa, sent)["shown"]


def test_a_marketing_template_by_the_endpoint_of_its_own(pywa: PythonBusiness) -> None:
    template = created(pywa, MARKETING, t.BodyText("There is an offer."))
    sent = template.send(ANA, [], use_mm_lite_api=True)
    assert "There is an offer." in arrived(pywa, sent)["shown"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("two\nlines", 132018), ("five     spaces", 132018), ("x" * 1100, 132005)],
)
def test_a_value_that_a_variable_does_not_take(pywa: PythonBusiness, value: str, kind: int) -> None:
    text, more = t.BodyText("The meeting about {{1}} begins soon.", "it"), t.FooterText(text="Reply STOP")
    template = created(pywa, UTILITY, text, more)
    with pytest.raises(errors.WhatsAppError) as refused:
        template.send(ANA, [body(value)])
    assert refused.value.code == kind


def test_a_parameter_of_another_kind(pywa: PythonBusiness) -> None:
    template = created(pywa, UTILITY, t.HeaderLocation(), t.BodyText("We meet here."))
    with pytest.raises(errors.TemplateParamFormatMismatch):
        template.send(ANA, [header("Tower")], validate=False)


@pytest.mark.parametrize("settings", [{"review": "moderator"}])
def test_a_template_still_in_review(pywa: PythonBusiness) -> None:
    later = t.Template(name="later", language=ENGLISH, category=UTILITY, components=[t.BodyText("Later.")])
    assert pywa.wa.create_template(later).status == t.TemplateStatus.PENDING
    with pytest.raises(errors.TemplateNotExists):
        pywa.wa.send_template(ANA, "later", ENGLISH, params=[])
