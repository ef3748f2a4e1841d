"""Bring what people type to one form before it is checked, hashed or stored.

Knows neither web nor database, so forms, the API and the hashes of sealed fields share it.
"""

import re
import unicodedata

_FULL_WIDTH = {ord("０") + digit: str(digit) for digit in range(10)} | {
    ord("Ｘ"): "X",
    ord("ｘ"): "x",
    ord("＋"): "+",
    ord("－"): "-",
    ord("‐"): "-",
    ord("–"): "-",
    ord("—"): "-",
    ord("\u3000"): " ",
}
_PHONE_NOISE = re.compile(r"[\s\-()（）·.]")
_COUNTRY = re.compile(r"^(?:\+86|0086|86(?=1\d{10}$))")
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def normalise_digits(text: str) -> str:
    """Full-width digits, X, plus and dashes as ASCII (０２１ is 021); the rest stays."""
    return text.translate(_FULL_WIDTH)


def clean(text: str) -> str:
    """Composed characters, Unix line ends, no blanks (ideographic ones too) at either end."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def has_control_characters(text: str) -> bool:
    """Whether it holds what no honest text holds.

    That is: controls other than tab and newline, half surrogates, and marks that reverse the
    reading direction (they make `exe.pdf` look like `fdp.exe`). Rare Chinese characters, the
    name dot · and emoji joiners are fine.
    """
    return any(
        character in _BIDI
        or (character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"))
        for character in text
    )


def normalise_phone(text: str) -> str:
    """Digits only, without +86: equal numbers written differently become equal."""
    return _COUNTRY.sub("", _PHONE_NOISE.sub("", normalise_digits(text)))


def normalise_id_card(text: str) -> str:
    """No blanks, ASCII digits, capital X."""
    return re.sub(r"\s", "", normalise_digits(text)).upper()


def normalise_name(text: str) -> str:
    """One form of a person's name: compatibility-normalised, no blanks, one kind of name dot."""
    compact = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"[•・∙⋅.]", "·", compact)
