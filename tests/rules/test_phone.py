"""Numbers as people write them, judged by shape and never by a numbering plan."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.errors import InputInvalidError
from sayso.people.rules import phone

TAKEN = {
    "+15550001111": "+15550001111",
    " +1 (555) 000-1111 ": "+15550001111",
    "+1.555.000.1111": "+15550001111",
    "0015550001111": "+15550001111",
    "00 1 555 000 1111": "+15550001111",
    "+1\u00a0555\u00a0000\u00a01111": "+15550001111",
    "＋１５５５０００１１１１": "+15550001111",
    "+5541988887777": "+5541988887777",  # Brazil with the ninth digit
    "+554188887777": "+554188887777",  # and without: possible, not valid, and real
    "+5215639691841": "+5215639691841",  # Mexico's old mobile prefix: neither, and real
    "+525639691841": "+525639691841",
    "+5491158749895": "+5491158749895",
    "+541158749895": "+541158749895",
    "+22507070707": "+22507070707",  # Ivory Coast before its change
    "+62081234567890": "+6281234567890",  # a national zero nobody dials from abroad
    "+39 06 1234 5678": "+390612345678",  # Italy keeps its zero
    "+٩٩٩٥٥٥٥٥٥٥": "+9995555555",
    "+1555000111١": "+15550001111",
    "+99912345678": "+99912345678",  # no country has this code; plans change
    "+1234567": "+1234567",
    "+442079460958": "+442079460958",
    "+44 (0)20 7946 0958": "+442079460958",  # the zero in brackets that is written for those at home
    "+49 (0) 151 1234 5678": "+4915112345678",
    "+55 (041) 98888-7777": "+5541988887777",
    "0055 41 98888 7777": "+5541988887777",
    "+1/555/000/1111": "+15550001111",
    "+1\u20115550001111": "+15550001111",  # a hyphen that does not break
    "+1\u2013555\u20130001111": "+15550001111",  # dashes
    "+1\u202f555\u2009000\u30001111": "+15550001111",  # narrow, thin and ideographic spaces
    "\u202a+15550001111\u202c": "+15550001111",  # as contact lists copy it: between marks of direction
    "+\u0661\u0665\u0665\u0665\u0660\u0660\u0660\u0661\u0661\u0661\u0661": "+15550001111",  # Arabic digits
    "+\u0967\u096b\u096b\u096b\u0966\u0966\u0966\u0967\u0967\u0967\u0967": "+15550001111",  # Devanagari
    "\uff0b1\uff08555\uff090001111": "+15550001111",  # full-width plus and brackets
    "00\uff11\uff15\uff15\uff15\uff10\uff10\uff10\uff11\uff11\uff11\uff11": "+15550001111",
    "tel:+1-555-000-1111": "+15550001111",
    "+15550001111\u200b": "+15550001111",  # a space of no width, as web pages have them
    "+861065529988": "+861065529988",
    "+800 1234 5678": "+80012345678",  # of no country
    "+383 44 123 456": "+38344123456",
}
REFUSED = [
    "", "+", "0", "00", "555 000 1111", "15550001111", "alice", "+alice", "+0123456789", "+12345",
    "+1234567890123456",
    "+1555000111²", "+1 555 000 1111 ext. 5", "+1555;DROP", "+1 555 000 1111 x", "US.8493",
    "++15550001111", "+１２３", "\x00", "+" * 40,
    "a+15550001111", "15550001111+", "+1 800 FLOWERS", "call +15550001111", "+1-555-HACK\x00",
    "+15550001111\u200b1x", "911", "112", "+112", "+911", "12345", "#31#+15550001111", "+15550001111,123",
    "+15550001111;ext=5", "+15550001111 x5", "+15550001111#5", "+1 555 000 1111 ext 5", "p:+15550001111",
    "+1555 000 1111 / +1555 000 2222", "+1+5550001111", "\u2460\u2461\u2462\u2463\u2464\u2465\u2466",
    "+\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03", "(0)20 7946 0958", "tel:555", "tel:tel:+15550001111",
]  # fmt: skip


@pytest.mark.parametrize(("written", "means"), TAKEN.items())
def test_a_number_is_taken_as_people_write_it(written: str, means: str) -> None:
    assert phone(written, pointer="/phone") == means


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_no_international_number_is_refused_with_its_place(written: str) -> None:
    with pytest.raises(InputInvalidError, match="not an international phone number") as raised:
        phone(written, pointer="/recipient")
    assert [fault.pointer for fault in raised.value.faults] == ["/recipient"]


@given(
    st.one_of(st.text(max_size=160), st.text(alphabet="+0123456789 ()-.٠١٢０１xX;,ext#*\x00", max_size=40))
)
def test_whatever_is_written_it_is_a_number_in_e164_or_refused(written: str) -> None:
    try:
        number = phone(written, pointer="/phone")
    except InputInvalidError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
    assert number.isascii()
    assert phone(number, pointer="/phone") == number
