"""The languages a template may be written in, and the script each is written with (cloud-api.md 3.2)."""

_CODES = """
af sq ar ar_AE ar_EG ar_LB ar_MA ar_QA ar_SA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF
nl nl_BE en en_AE en_AU en_CA en_GB en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_US en_ZA
et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW
ko ky_KG lo lv lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO
es_CR es_DO es_EC es_ES es_HN es_MX es_PA es_PE es_UY es_VE sw sv ta te th tr uk ur uz vi zu
"""
#: Meta's language and locale codes, as clients know them; matched as given, never by their first half.
LANGUAGES = frozenset(_CODES.split())

#: Languages whose words are not written in Latin letters, and how Unicode names the letters they are written in.
_SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ar", "fa", "ur", "prs", "ps"), ("ARABIC",)),
    **dict.fromkeys(("ru", "uk", "bg", "mk", "kk", "ky", "be"), ("CYRILLIC",)),
    **dict.fromkeys(("hi", "mr"), ("DEVANAGARI",)),
    "zh": ("CJK",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA"),
    "ko": ("HANGUL",),
    "he": ("HEBREW",),
    "el": ("GREEK",),
    "th": ("THAI",),
    "bn": ("BENGALI",),
    "gu": ("GUJARATI",),
    "ka": ("GEORGIAN",),
    "kn": ("KANNADA",),
    "lo": ("LAO",),
    "ml": ("MALAYALAM",),
    "pa": ("GURMUKHI", "ARABIC"),
    "si": ("SINHALA",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "sr": ("CYRILLIC", "LATIN"),
    "uz": ("LATIN", "CYRILLIC"),
    "az": ("LATIN", "CYRILLIC"),
}


def scripts_of(language: str) -> tuple[str, ...]:
    """Tell the scripts a language is written in, as the names of Unicode characters begin."""
    return _SCRIPTS.get(language.partition("_")[0], ("LATIN",))
