"""What lint lets pass, Meta's side takes, and what it refuses, that refuses too: two readings of one sheet."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sayso.simulator.errors import GraphError
from sayso.simulator.templates.definition import read_definition
from sayso.templates.compare import body_of
from sayso.templates.definitions import read
from sayso.templates.lint import lint

_BITS = st.sampled_from(
    [
        "Hello", " ", "your order", "{{who}}", "{{what}}", "{{1}}", "{{2}}", "{{3}}", "{{Who}}", "{{", "}}", ".", "\n",
        "\n\n", "\n\n\n", "\t", "     ", "*bold*", "🎉", "and some more words of it", "x" * 60, "x" * 1_000, "注文",
        "{{ who }}", "_", "{{w1}}",
    ]
)  # fmt: skip
_TEXT = st.lists(_BITS, min_size=1, max_size=7).map("".join)
_URL = st.sampled_from(
    [
        "https://example.org/o", "https://example.org/{{1}}", "https://example.org/{{1}}/x", "https://wa.me/1",
        "https://{{1}}.org/", "example.org", "https://example.org/{{2}}", "https://example.org/" + "x" * 2_000,
        "https://[::1/{{1}}", "http://api.whatsapp.com/send",
    ]
)  # fmt: skip
_LABEL = st.sampled_from(["Yes", "No", "Later", "x" * 25, "x" * 26, "{{1}}", "🎉", "a\nb"])
_BUTTON = st.one_of(
    st.builds(lambda text: {"reply": text}, _LABEL),
    st.builds(
        lambda text, url, ending: {
            "link": text, "url": url, **({"example": url.replace("{{1}}", ending)} if ending else {})
        },
        _LABEL, _URL, st.sampled_from(["", "A-1"]),
    ),
    st.builds(
        lambda text, phone: {"call": text, "phone": phone},
        _LABEL, st.sampled_from(["+15550001111", "+1 (555) 000-1111", "+" + "1" * 20]),
    ),
    st.builds(lambda code: {"copy": code}, st.sampled_from(["SAVE25", "x" * 15, "x" * 16])),
)  # fmt: skip
_WORDING = st.fixed_dictionaries(
    {"body": _TEXT},
    optional={"header": _TEXT, "footer": _TEXT, "buttons": st.lists(_BUTTON, max_size=4)},
)
_EXAMPLES = st.sampled_from(
    [["Ana", "A-1", "now"], ["Ana"], {"who": "Ana", "what": "A-1"}, {"who": "Ana", "Who": "A", "w1": "b"}, []]
)
#: Where we are stricter than Meta on purpose: what it takes there is a mistake all the same.
_STRICTER = (
    "two buttons say the same",
    "starts with + and the country code",
    "named variable stands only once",
)


def refusal(body: dict[str, Any]) -> str | None:
    """Why Meta's side refuses it; None when it takes it."""
    try:
        read_definition(body, lambda _: None)
    except GraphError as error:
        return str(error)
    return None


@given(
    wording=_WORDING,
    examples=_EXAMPLES,
    header_example=st.sampled_from([None, "Ana"]),
    ttl=st.sampled_from([None, "29s", "30s", "12h", "13h", "30d", "31d"]),
    category=st.sampled_from(["utility", "marketing"]),
)
def test_lint_and_meta_agree(
    wording: dict[str, Any], examples: Any, header_example: str | None, ttl: str | None, category: str
) -> None:
    data: dict[str, Any] = {"category": category, "examples": examples, "languages": {"en": wording}}
    data |= {"ttl": ttl} if ttl else {}
    data |= {"header_example": header_example} if header_example else {}
    definition, problems = read("greeting", data)
    problems = [*problems, *(lint(definition) if definition else [])]
    errors = [each.detail for each in problems if each.severity == "error"]
    if definition is None:
        assert errors
        return
    refused = refusal(body_of(definition, "en"))
    ours = [each for each in errors if not any(words in each for words in _STRICTER)]
    if refused is None:
        assert ours == []
    elif not errors:
        raise AssertionError(f"lint let pass what Meta's side refuses: {refused}")
