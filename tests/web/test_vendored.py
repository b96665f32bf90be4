"""Scripts that others wrote, served from here."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "web/static/vendor"


def test_they_are_what_they_were():
    """Each file has the digest that was written down when it came, and a licence beside it."""
    digests = dict(line.split()[::-1] for line in (FOLDER / "SHA256SUMS").read_text().splitlines())

    assert {path.name for path in FOLDER.glob("*.js")} == set(digests)
    for name, digest in digests.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
        assert (FOLDER / f"{name.partition('-')[0]}.LICENSE").read_text()


def test_pages_load_nothing_from_elsewhere():
    """No template and no style of ours names another host's script, style, font or picture."""
    web = FOLDER.parents[1]
    for path in (*web.glob("templates/**/*.html"), *web.glob("static/*.css"), *web.glob("static/*.js")):
        text = path.read_text()
        assert "//" not in "".join(part for part in text.split() if part.startswith(("src=", "url(", "@import"))), path
