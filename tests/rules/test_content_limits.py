"""Every limit of the outgoing types beside text, buttons and plain templates is Meta's, and is pointed at."""

import pytest

from sayso.core.errors import ContentTooLongError, InputInvalidError
from sayso.whatsapp.content import (
    Button,
    Buttons,
    Card,
    Carousel,
    Contacts,
    Content,
    CtaUrl,
    Document,
    Flow,
    Header,
    Image,
    List,
    Location,
    LocationRequest,
    Media,
    Product,
    ProductList,
    Reaction,
    Row,
    Section,
    Sticker,
    Template,
    TemplateCard,
    Video,
    validate,
)
from sayso.whatsapp.content.plain import Contact, Name, Phone
from sayso.whatsapp.content.showcase import Shelf
from sayso.whatsapp.content.template import ProductsButton

LINK = "https://example.org/a.png"
PICTURE = Header(image=Media(link=LINK))
ROWS = tuple(Row(str(number), "t") for number in range(11))
PAIR = (Button("a", "A"), Button("b", "B"))
CARD = Card(PICTURE, "A", "Open", LINK)
TOO_LONG: list[tuple[Content, str]] = [
    (Image(id="1", caption="x" * 1025), "/caption"),
    (Video(id="1", caption="x" * 1025), "/caption"),
    (Document(id="1", caption="x" * 1025), "/caption"),
    (List("x" * 4097, "b", (Section(ROWS[:1]),)), "/body"),
    (List("x", "b" * 21, (Section(ROWS[:1]),)), "/button"),
    (List("x", "b", (Section(ROWS[:1], "t" * 25),)), "/sections/0/title"),
    (List("x", "b", (Section((Row("i" * 201, "t"),)),)), "/sections/0/rows/0/id"),
    (List("x", "b", (Section((Row("i", "t" * 25),)),)), "/sections/0/rows/0/title"),
    (List("x", "b", (Section((Row("i", "t", "d" * 73),)),)), "/sections/0/rows/0/description"),
    (CtaUrl("x" * 1025, "b", LINK), "/body"),
    (CtaUrl("x", "b" * 21, LINK), "/button"),
    (Flow("x", "b" * 31, flow_id="1"), "/button"),
    (LocationRequest("x" * 1025), "/body"),
    (Carousel("x", (CARD, Card(PICTURE, "b" * 161, "Open", LINK))), "/cards/1/body"),
    (Product("1", "p", "x" * 1025), "/body"),
    (ProductList("x", Header(text="h" * 61), "1", (Shelf(("p",)),)), "/header/text"),
    (Template("t", "en", {"a/b": "x" * 1025}), "/parameters/a~1b"),
    (Template("t", "en", url_suffixes=("x" * 2001,)), "/url_suffixes/0"),
    (Template("t", "en", coupon_code="x" * 16), "/coupon_code"),
    (
        Template("t", "en", cards=(TemplateCard(parameters=("x",)), TemplateCard(parameters=("x" * 1025,)))),
        "/cards/1/parameters/0",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "pointer"), TOO_LONG)
def test_too_long_is_pointed_at(content: Content, pointer: str) -> None:
    with pytest.raises(ContentTooLongError, match="1 more than the") as raised:
        validate(content, at="/x")
    assert [fault.pointer for fault in raised.value.faults] == ["/x" + pointer]


INVALID: list[tuple[Content, str, str]] = [
    (Image(), "", "exactly one"),
    (Image(id="1", link=LINK), "", "exactly one"),
    (Image(id="a b"), "/id", "made of"),
    (Image(link="http://example.org/a.png"), "/link", "https://"),
    (Image(link="https://"), "/link", "https://"),
    (Image(link="https://[::1"), "/link", "https://"),
    (Sticker(link="ftp://example.org/x"), "/link", "https://"),
    (Location(90.1, 0), "/latitude", "-90 to 90"),
    (Location(0, -180.5), "/longitude", "-180 to 180"),
    (Location(float("nan"), 0), "/latitude", "-90 to 90"),
    (Contacts(()), "/cards", "0 contact cards"),
    (Contacts((Contact(Name("John")),)), "/cards/0/name", "at least one of its parts"),
    (
        Contacts((Contact(Name("J", "J"), birthday="14.3.1990"),)),
        "/cards/0/birthday",
        "YYYY-MM-DD",
    ),
    (Contacts((Contact(Name("J", "J"), phones=(Phone(""),)),)), "/cards/0/phones/0/phone", "empty"),
    (Reaction("w", "no"), "/emoji", "one emoji"),
    (Reaction("w", "👍👍"), "/emoji", "one emoji"),
    (Reaction(""), "/message_id", "empty"),
    (Buttons("x", PAIR, header=Header()), "/header", "exactly one of"),
    (Buttons("x", PAIR, header=Header(text="a", image=Media(id="1"))), "/header", "exactly one of"),
    (Buttons("x", PAIR, header=Header(location=Location(0, 0))), "/header", "exactly one of"),
    (Buttons("x", PAIR, header=Header(image=Media(id="1", filename="a"))), "/header/image/filename", "Only"),
    (List("x", "b", ()), "/sections", "0 sections"),
    (List("x", "b", (Section(ROWS),)), "/sections", "11 rows"),
    (List("x", "b", (Section(ROWS[:1], "t"), Section(ROWS[1:2]))), "/sections/1/title", "each has a title"),
    (List("x", "b", (Section((ROWS[0], ROWS[0])),)), "/sections", "same id"),
    (List("x", "b", (Section(ROWS[:1]),), header=PICTURE), "/header", "exactly one of text"),
    (CtaUrl("x", "b", "example.org"), "/url", "https://"),
    (Flow("x", "b"), "/flow_id", "exactly one"),
    (Flow("x", "b", flow_id="1", flow_name="n"), "/flow_id", "exactly one"),
    (Flow("x", "go 🚀", flow_id="1"), "/button", "no emoji"),
    (Flow("x", "b", flow_id="1", data={"a": 1}), "/data", "screen"),
    (Carousel("x", (CARD,)), "/cards", "1 cards"),
    (Carousel("x", (CARD, Card(PICTURE, "A", buttons=PAIR))), "/cards/1", "as the first"),
    (Carousel("x", (CARD, Card(Header(video=Media(id="1")), "A", "Open", LINK))), "/cards/1", "as the first"),
    (Carousel("x", (CARD, Card(PICTURE, "A\n\n\nB", "Open", LINK))), "/cards/1/body", "2 line breaks"),
    (Carousel("x", (Card(PICTURE), Card(PICTURE))), "/cards/0", "either"),
    (ProductList("x", Header(text="h"), "1", (Shelf(("p",) * 31),)), "/sections", "31 products"),
    (Template("t", "en", url_suffixes=("a",) * 3), "/url_suffixes", "3 link buttons"),
    (Template("t", "en", {"a": "x\ny"}), "/parameters/a", "line break"),
    (Template("t", "en", cards=(TemplateCard(),)), "/cards", "1 cards"),
    (Template("t", "en", products=ProductsButton(None, (Shelf(("p",)),))), "/products/thumbnail", "in front"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "pointer", "word"), INVALID)
def test_invalid_content_is_pointed_at(content: Content, pointer: str, word: str) -> None:
    with pytest.raises(InputInvalidError) as raised:
        validate(content, at="/x")
    assert raised.value.faults[0].pointer == "/x" + pointer
    assert word in raised.value.faults[0].detail


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "👨‍👩‍👧", "🇵🇹", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "✅", ""])
def test_one_emoji_is_a_reaction(emoji: str) -> None:
    validate(Reaction("wamid.1", emoji))
