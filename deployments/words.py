"""Figures and foreign words as a person reads them."""

from unicodedata import category

MINUTE = 60
JOINERS = "\u200c\u200d"
"""Format characters that names and emoji are written with; all others hide or turn round what stands beside them."""
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Controls, formats, halves of characters, private ones, ends of lines."""


def visible(text: str) -> str:
    r"""The text on one line; what a terminal would obey, or not show, is written out, as `\x1b` is."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in HIDDEN and char not in JOINERS else char
        for char in text
    )


def number(count: int) -> str:
    return f"{count:,}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `4 min 10 s`."""
    if seconds < 10:  # noqa: PLR2004 -- below, a tenth still tells something
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest} s" if minutes < MINUTE else f"{minutes // MINUTE} h {minutes % MINUTE} min"
