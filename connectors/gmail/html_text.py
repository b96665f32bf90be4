"""What a reader sees of an HTML mail, as plain text.

One pass in linear time over whatever was sent: html.parser, in versions that are still about, takes quadratic time for
marks that nothing closes.
"""

import html
import re
from string import ascii_lowercase, ascii_uppercase

_BLOCKS = re.compile(
    "address|article|aside|blockquote|br|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6r]|header|li|main|nav|ol|p"
    "|pre|section|table|tbody|tfoot|thead|tr|ul"
)
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style", "title", "template"})
_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9]{0,30}")
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_BLANK = re.compile(r"[ \t\r\f\v\xa0\u200b\ufeff]+")
_LINE_ENDS = re.compile(r" ?\n ?")
_LINES = re.compile(r"\n{3,}")
_LONG_NUMBER = re.compile(r"&#[xX]?0*[0-9a-fA-F]{9,}")


def html_text(source: str) -> str:
    """The text of *source*, a line for each block, without what nobody sees."""
    found: list[str] = []
    at, size = 0, len(source)
    lower = source.translate(_SMALL)
    while at < size:
        begin = source.find("<", at)
        begin = size if begin < 0 else begin
        found.append(_BLANK.sub(" ", _unescape(source[at:begin].replace("\n", " "))))
        if begin == size:
            break
        name = _NAME.match(source, begin + 1)
        if name is not None:
            word = name[0].lower()
            found.append(_spacing(word.strip("/")))
            end = _past(source, ">", name.end())
            at = _past(source, ">", _past(lower, f"</{word}", end)) if word in _UNSEEN else end
        elif source.startswith("<!--", begin):
            at = _past(source, "-->", begin + 4)
        elif source.startswith(("<!", "<?", "</"), begin):
            at = _past(source, ">", begin + 2)
        else:  # a sign like any other
            found.append("<")
            at = begin + 1
    return _tidy("".join(found))


def _past(source: str, wanted: str, begin: int) -> int:
    """Where *wanted* has ended; the end of all where it never comes."""
    found = source.find(wanted, begin)
    return len(source) if found < 0 else found + len(wanted)


def _spacing(word: str) -> str:
    if _BLOCKS.fullmatch(word):
        return "\n"
    return " " if word in _CELLS else ""


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))  # a number too long for it is no character


def _tidy(text: str) -> str:
    return _LINES.sub("\n\n", _LINE_ENDS.sub("\n", _BLANK.sub(" ", text))).strip()
