"""The languages that Whisper knows, so that another is refused before a model is fetched for it."""

from __future__ import annotations

from emobatch.errors import OptionError
from emobatch.models.names import AUTO

# Codes of the multilingual models; asking faster-whisper for them is a slow import.
_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl "
    "gu ha haw he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg "
    "mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq "
    "sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh "
)
LANGUAGES = tuple(_CODES.split())


def check(language: str) -> None:
    """Refuse a language that no model of Whisper knows; a model may know fewer.

    Args:
        language: the value of ``--language``.

    Raises:
        OptionError: names those that there are.
    """
    if language != AUTO and language not in LANGUAGES:
        raise OptionError(
            f"--language {language}: Whisper doesn't know the language {language!r}; give "
            f"{AUTO} or one of {', '.join(LANGUAGES)}"
        )
