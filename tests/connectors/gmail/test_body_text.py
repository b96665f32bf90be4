"""The text that is made of a message: what a person would read, and never an error."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gmail.body_text import MOST, body_text
from connectors.gmail.html_text import html_text
from connectors.gmail.records import message
from tests.connectors.gmail.conftest import box, encoded, mail, part

HTML = "<html><head><title>No</title><style>p{}</style></head><body><p>Good&nbsp;day &amp; more</p></body></html>"


def made(**more):
    """What the member of ours says of a message."""
    return json.loads(message(json.dumps(mail("a") | more).encode(), "a"))["syncline"]


def with_headers(**headers):
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    return made(payload=part("x") | {"headers": listed})


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (part("Good day\r\nto you "), "Good day\nto you"),
        (part(HTML, "text/html"), "Good day & more"),
        (box("alternative", part("plain"), part(HTML, "text/html")), "plain"),
        (box("alternative", part(HTML, "text/html"), part(" \n")), "Good day & more"),
        (box("alternative", part("plain"), box("related", part(HTML, "text/html"))), "plain"),
        (box("mixed", box("alternative", part("one"), part("no", "text/html")), part("two")), "one\n\ntwo"),
        (box("mixed", part("text"), part("secret", filename="notes.txt")), "text"),
        (box("mixed", part("text"), part("BEGIN:VCALENDAR", "text/calendar")), "text"),
        (box("mixed", {"mimeType": "image/png", "filename": "a.png", "body": {"attachmentId": "x"}}), None),
        ({"mimeType": "TEXT/PLAIN", "body": {"data": encoded("loud")}}, "loud"),
        ({"body": {"data": encoded("no kind")}}, "no kind"),
        (part("привет", charset="koi8-r"), "привет"),
        (part("日本", charset="iso-2022-jp"), "日本"),
        (part("grüße", charset="latin-1"), "grüße"),
    ],
)
def test_what_a_person_would_read(payload, text):
    """Plain text before HTML, all parts in their order, whatever the charset, and no attachment."""
    assert body_text(payload) == text


@pytest.mark.parametrize("charset", ["x-unknown", "", "base64", "punycode", "utf-8\0", "a" * 5_000, "idna", "☃", '"'])
def test_charsets_that_are_none(charset):
    """An unknown charset is read as UTF-8, and what is no UTF-8 as far as it can be read."""
    payload = part("x") | {"headers": [{"name": "content-type", "value": f"text/plain; charset={charset}"}]}

    assert body_text(payload | {"body": {"data": encoded("grüße")}}) == "grüße"
    assert body_text(payload | {"body": {"data": encoded(b"gr\xfc\xdfe")}}).startswith("gr")


@pytest.mark.parametrize("data", ["", "a", "!!!!", "=", "aGk", "aGk=", "aGk\n", 5, None, [], "ä" * 9])
def test_base64_that_is_none(data):
    """What is no base64 is read as far as it is some."""
    assert body_text({"mimeType": "text/plain", "body": {"data": data}}) in {None, "hi"}


def test_its_size_is_capped():
    """A huge text is shortened, however it is made up."""
    assert len(body_text(part("word " * 200_000))) <= MOST
    assert len(body_text(box("mixed", *(part("x" * 1_000) for _ in range(2_000))))) <= MOST


@pytest.mark.parametrize(
    "junk", ["<!--", '<a "', "<script>", "<", "&#" + "9" * 5_000, "&", " \n", "&a", "<title>", "&#x", "</", "<?", "=?"]
)
def test_junk_takes_no_time(junk):
    """A megabyte of marks that nothing closes is read in linear time."""
    began = time.process_time()

    html_text(junk * (1_000_000 // len(junk)))

    assert time.process_time() - began < 15


def test_deep_parts():
    """Parts within parts without end, and more than anybody sends, are left."""
    deep = part("deep")
    for _ in range(300):
        deep = box("mixed", deep)

    assert body_text(deep) is None
    assert body_text(box("mixed", *[part("x")] * 5_000)) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["text/html", "multipart/mixed"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["mimeType", "parts", "body", "data", "headers", "name", "value", "filename"]) | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(payload=JSON)
def test_nothing_in_a_payload_fails(payload):
    """Whatever a payload is, the message is stored as it came, with a member of ours behind it."""
    body = json.dumps(mail("a") | {"payload": payload}).encode()

    stored = json.loads(message(body, "a"))

    assert {name: value for name, value in stored.items() if name != "syncline"} == json.loads(body)


@given(source=st.text() | st.text(alphabet="<>!-/abp&#;x9 \n"))
def test_no_html_fails(source):
    """Any text is some HTML, and without any sign of HTML it is itself."""
    text = html_text(source)

    assert "<" in source or "&" in source or text.split() == source.split()


@given(value=st.text() | st.text(alphabet='=?q_b<>@(),";: \\x\n'))
def test_no_header_fails(value):
    """Any header gives text and addresses that a database can hold."""
    found = with_headers(Subject=value, From=value, To=value)

    json.dumps(found, ensure_ascii=False).encode()
    assert "\0" not in found["subject"]


def test_headers():
    """Encoded words are decoded, addresses stand without names, names of headers in any case, the first one counts."""
    found = with_headers(
        sUBJECT="=?utf-8?q?Gr=C3=BC=C3=9Fe?= an alle",
        From='"Ann, A." <ann@example.com>',
        To="a@example.com, B <b@example.com>, undisclosed:;",
        CC="c@example.com",
    )

    assert found["subject"] == "Grüße an alle"
    assert (found["from_address"], found["to_addresses"]) == ("ann@example.com", ["a@example.com", "b@example.com"])
    assert found["cc_addresses"] == ["c@example.com"]
    assert found["sent_at_ms"] == 1764000000123


def test_what_is_missing_is_left_out():
    """A message without headers, date and payload has none of it, and is stored."""
    assert json.loads(message(b'{"id": "a"}', "a"))["syncline"] == {}
    for odd in (5, "x", "1e9", None, "9" * 40, "", "-"):
        assert "sent_at_ms" not in made(internalDate=odd)


def test_a_record_that_no_parser_takes():
    """A message with a number that is none, or nested beyond all bounds, goes on as it came."""
    for odd in (b'{"id": "a", "x": NaN}', b'{"id": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        assert message(odd, "a") == odd
