"""The packs of keywords: what leaves, returns or asks in each language, and what only looks like it."""

import tomllib
from importlib.resources import files

import pytest

from sayso.consent.words import keywords, reading

TABLE = tomllib.loads(files("sayso.consent").joinpath("keywords.toml").read_text(encoding="utf-8"))
PACKS = {language: pack for language, pack in TABLE.items() if language != "version"}

#: By language: what people write to leave, to call one thing off, to come back and to ask; and what is none of it.
SAID = {
    "en": (
        ["Stop messages", "Opt-Out!"],
        ["Cancel", "QUIT", "end.", "remove"],
        ["Unstop"],
        ["HELP", "info"],
        ["the end", "stop it", "help me"],
    ),
    "fr": (
        ["ARRÊT", "arret", "Se désabonner"],
        ["annuler"],
        ["Reprendre"],
        ["aide"],
        ["arrêt de bus", "stop svp"],
    ),
    "es": (
        ["BAJA", "Darme de baja", "cancelar suscripción"],
        ["Basta"],
        ["ALTA"],
        ["ayuda"],
        ["la baja", "alta mar"],
    ),
    "pt": (
        ["PARAR", "Sair", "cancelar inscrição"],
        ["cancelar"],
        ["voltar"],
        ["AJUDA"],
        ["stop, o Zé não vem", "vou sair"],
    ),
    "de": (
        ["STOPP", "Abmelden!", "abbestellen"],
        ["abbrechen"],
        ["anmelden"],
        ["Hilfe"],
        ["stopp mal", "am ende"],
    ),
    "it": (["Disiscrivi", "CANCELLAMI"], ["basta", "BASTA!"], ["inizia"], ["aiuto"], ["basta così"]),
    "nl": (
        ["afmelden", "Uitschrijven"],
        ["annuleren"],
        ["aanmelden"],
        ["help"],
        ["ik wil afmelden voor gym"],
    ),
    "pl": (["WYPISZ", "Rezygnuję"], ["anuluj"], ["zapisz"], ["POMOC"], ["nie rezygnuję"]),
    "tr": (
        ["durdur", "İPTAL ET", "iptal et", "ABONELİKTEN ÇIK"],
        ["DUR", "İptal", "IPTAL"],
        ["BAŞLA"],
        ["yardım", "YARDIM"],
        ["dur bakalım", "duruyor"],
    ),
    "ru": (["СТОП", "Отписаться"], ["отмена"], ["СТАРТ"], ["помощь"], ["стоп-кран"]),
    "uk": (["Відписатися"], ["скасувати"], ["почати"], ["допомога"], ["не стоп"]),
    "ar": (["إيقاف", "ايقاف", "إلغاء الاشتراك"], ["إلغاء"], ["ابدأ"], ["مساعدة"], ["لا توقف السيارة"]),
    "he": (["הסר", "הסרה"], ["ביטול"], ["הרשמה"], ["עזרה"], ["הסר את זה מהשולחן"]),
    "hi": (["रोकें", "बंद करें"], ["रद्द करें"], ["शुरू"], ["मदद"], ["बस रोकें मत"]),
    "id": (["BERHENTI", "batal langganan"], ["batal"], ["mulai"], ["bantuan"], ["berhenti sebentar"]),
    "ms": (["berhenti"], ["Batal"], ["mula"], ["bantuan"], ["tidak berhenti"]),
    "vi": (["DỪNG", "hủy đăng ký"], ["hủy"], ["bắt đầu"], ["trợ giúp"], ["dừng xe"]),
    "zh": (["退订", "ＴＤ", "取消订阅"], ["取消"], ["订阅"], ["帮助"], ["不要停止"]),
    "ja": (["配信停止", "停止", "解除"], ["キャンセル"], ["再開"], ["ヘルプ", "ﾍﾙﾌﾟ"], ["停止しないで"]),
    "ko": (["수신거부", "중지"], ["취소"], ["시작"], ["도움말"], ["중지하지 마"]),
    "sv": (["Avregistrera", "STOPP"], ["avbryt"], ["starta"], ["hjälp"], ["stoppa inte"]),
    "da": (["afmeld"], ["annuller"], ["start"], ["HJÆLP"], ["start nu"]),
    "nb": (["meld av"], ["avbryt"], ["start"], ["hjelp"], ["meld av kl. 5"]),
}


def test_every_pack_has_phrases_that_must_and_that_must_not_count() -> None:
    assert set(SAID) == set(PACKS)
    assert len(PACKS) >= 20
    assert keywords().version == TABLE["version"]


def test_every_pack_has_every_meaning() -> None:
    for language, pack in PACKS.items():
        assert set(pack) - {"promotions"} == {"stop", "soft", "start", "help"}, language


@pytest.mark.parametrize("text", ["STOP PROMOTIONS", "Detener promociones", "parar promocoes"])
def test_the_label_of_metas_button_leaves_promotions_alone(text: str) -> None:
    word = reading(text)
    assert word is not None
    assert word.meaning == "promotions"


@pytest.mark.parametrize("language", SAID)
def test_what_people_write_is_read_in_their_language(language: str) -> None:
    *meant, nothing = SAID[language]
    for meaning, said in zip(("stop", "soft", "start", "help"), meant, strict=True):
        for text in said:
            word = reading(text)
            assert word is not None, text
            assert word.meaning == meaning, text
            assert language in word.languages, text
    for text in nothing:
        assert reading(text) is None, text


@pytest.mark.parametrize("language", SAID)
def test_every_word_of_a_pack_is_read_as_it_stands(language: str) -> None:
    for meaning, said in PACKS[language].items():
        for text in said:
            for dressed in (text, text.upper(), f" *{text}* ", f"«{text}»!"):
                word = reading(dressed)
                if word is None:  # a capital that does not come back small
                    assert dressed == text.upper()
                    assert dressed.casefold() != text.casefold()
                else:
                    assert word.meaning == meaning, dressed


def test_a_word_gives_its_language_away_only_when_no_other_uses_it() -> None:
    for text, language in (("baja", "es"), ("stop", None), ("WYPISZ", "pl"), ("batal", None), ("退订", "zh")):
        word = reading(text)
        assert word is not None
        assert word.language == language


def test_nobody_is_read_into_a_text_that_is_too_long_or_empty() -> None:
    assert [reading(text) for text in (None, "", "stop " * 60, "stop\x00")] == [None] * 4
