"""Two spellings of one line, languages and zones: what is read, what is guessed, and what is refused."""

from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.errors import InputInvalidError
from sayso.people import places, rules

#: Failure-model 1c, and the habits of the three countries.
TWINS = {
    "5541988887777": "554188887777",  # Brazil with the ninth digit, and without
    "5511961234567": "551161234567",
    "525639691841": "5215639691841",  # Mexico with the 1 behind the country code, and without
    "541158749895": "5491158749895",  # Argentina with the 9
}
ALONE = [
    "15550001111",
    "554133334444",  # a landline of Brazil: there is no mobile number behind it
    "5541933334444",  # a newer mobile number: without its 9 it would be somebody's landline
    "5541",
    "52123456789012",
    "541",
    "447700900123",
    "22507070707",
    "US.8493",
    "",
]


@pytest.mark.parametrize(("one", "other"), TWINS.items())
def test_a_line_with_two_spellings_has_one_name(one: str, other: str) -> None:
    assert rules.twins(one) == (other,)
    assert rules.twins(f"+{other}") == (one,)
    assert rules.line(one) == rules.line(other) == rules.line(f"+{one}")


@pytest.mark.parametrize("number", ALONE)
def test_every_other_number_is_spelled_one_way(number: str) -> None:
    assert rules.twins(number) == ()
    assert rules.line(f"+{number}") == number


@given(st.from_regex(r"(55|52|54|1|44)[0-9]{5,13}", fullmatch=True))
def test_twins_are_each_others_and_share_their_line(number: str) -> None:
    for twin in rules.twins(number):
        assert rules.twins(twin) == (number,)
        assert rules.line(twin) == rules.line(number)
        assert twin[:2] == number[:2]


LANGUAGES = {
    "en": "en",
    "PT_br": "pt-BR",
    "pt-BR": "pt-BR",
    "zh_hant_tw": "zh-Hant-TW",
    "es-419": "es-419",
    "fil": "fil",
}


@pytest.mark.parametrize(("written", "means"), LANGUAGES.items())
def test_a_language_is_read_however_it_is_spelled(written: str, means: str) -> None:
    assert rules.language(written, pointer="/language") == means


@pytest.mark.parametrize(
    "written", ["", "e", "english", "pt-", "pt-BRA", "pt BR", "12", "pt-BR-x-y", "en\n\n-US", "日本"]
)
def test_what_is_no_language_tag_is_refused_with_its_place(written: str) -> None:
    with pytest.raises(InputInvalidError) as raised:
        rules.language(written, pointer="/language")
    assert [fault.pointer for fault in raised.value.faults] == ["/language"]


@pytest.mark.parametrize(
    "name", ["America/Sao_Paulo", "Europe/London", "UTC", "Asia/Kolkata", " Asia/Tokyo "]
)
def test_a_time_zone_is_a_name_of_the_iana_database(name: str) -> None:
    assert rules.time_zone(name, pointer="/time_zone") == name.strip()


@pytest.mark.parametrize(
    "name", ["", "GMT+2", "Mars/Phobos", "europe/london", "../etc/passwd", "Factory", "localtime"]
)
def test_what_is_no_time_zone_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(InputInvalidError) as raised:
        rules.time_zone(name, pointer="/time_zone")
    assert [fault.pointer for fault in raised.value.faults] == ["/time_zone"]


@pytest.mark.parametrize("text", ["US.84930011223344556677", "BR.ENT.1122", "DE.a"])
def test_a_user_id_has_its_shape(text: str) -> None:
    assert rules.bsuid(text, pointer="/bsuid") == text


@pytest.mark.parametrize(
    "text", ["", "US.", "us.1", "USA.1", "US.1 2", "US." + "1" * 129, "+15550001111", "US.ä"]
)
def test_what_is_no_user_id_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputInvalidError) as raised:
        rules.bsuid(text, pointer="/bsuid")
    assert [fault.pointer for fault in raised.value.faults] == ["/bsuid"]


#: Number, the language guessed, the zone guessed.
GUESSES = [
    ("+5511988887777", "pt-BR", "America/Sao_Paulo"),
    ("+554188887777", "pt-BR", "America/Sao_Paulo"),  # unknown to the plan without its ninth digit, known by its twin
    ("+5592988887777", "pt-BR", "America/Manaus"),
    ("+5215639691841", "es-419", "America/Mexico_City"),
    ("+541158749895", "es-419", "America/Argentina/Buenos_Aires"),
    ("+12125551234", "en", "America/New_York"),
    ("+18005551234", "en", None),  # a country of several zones, and the number does not tell which
    ("+15550001111", "en", None),
    ("+447700900123", "en", "Europe/London"),
    ("+447911123456", "en", "Europe/London"),
    ("+4915112345678", "de", "Europe/Berlin"),
    ("+33612345678", "fr", "Europe/Paris"),
    ("+351912345678", "pt-PT", "Europe/Lisbon"),
    ("+34600123456", "es", "Europe/Madrid"),
    ("+919876543210", "en", "Asia/Kolkata"),
    ("+79161234567", "ru", None),
    ("+61412345678", "en", None),
    ("+8613800138000", "zh-CN", "Asia/Shanghai"),
    ("+819012345678", "ja", "Asia/Tokyo"),
    ("+99912345678", None, None),  # a country code that nobody has
]  # fmt: skip


@pytest.mark.parametrize(("number", "language", "zone"), GUESSES)
def test_a_number_lets_one_guess(number: str, language: str | None, zone: str | None) -> None:
    assert places.language_of(number) == language
    assert places.time_zone_of(number) == zone


def test_everything_that_may_be_guessed_may_be_set() -> None:
    table = places._table()
    for tag in table["languages"].values():
        assert rules.language(tag, pointer="/language") == tag
    for zone in (*table["capitals"].values(), *table["renamed"].values()):
        assert zone in available_timezones()
        assert ZoneInfo(zone).key == zone


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_whatever_the_number_a_guess_is_nothing_or_valid(number: str) -> None:
    zone, language = places.time_zone_of(number), places.language_of(number)
    assert zone is None or rules.time_zone(zone, pointer="") == zone
    assert language is None or rules.language(language, pointer="") == language


@pytest.mark.parametrize(
    ("languages", "guess", "said"),
    [
        (["el"], "de", "el"),  # a Greek word from a German number
        (["es"], None, "es"),
        (["de", "sv", "nb"], "de", "de"),  # STOPP
        (["de", "sv", "nb"], "fi", None),
        (["de", "sv", "nb"], None, None),
        (["en", "pt"], "pt-BR", None),  # STOP: everybody writes it
        (["es", "pt"], "pt-BR", "pt"),
    ],
)
def test_a_word_gives_a_language_away_or_not(
    languages: list[str], guess: str | None, said: str | None
) -> None:
    assert rules.given_away(languages, guess) == said


@pytest.mark.parametrize(
    ("said", "guess", "form"),
    [
        ("pt", "pt-BR", "pt-BR"),
        ("pt", "de", "pt"),
        ("pt", None, "pt"),
        ("zh", "zh-TW", "zh-TW"),
        ("e", "el", "e"),
    ],
)
def test_a_language_is_meant_as_the_country_has_it(said: str, guess: str | None, form: str) -> None:
    assert rules.with_region(said, guess) == form
