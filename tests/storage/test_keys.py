import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet

from storage import keys
from storage.credentials import seal, unseal
from storage.errors import KeysUnusable
from storage.settings import home


@pytest.fixture(autouse=True)
def _embedded(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNCLINE_HOME", str(tmp_path / "home"))


def test_a_first_key_is_made_once():
    """The file is 0600 from its first moment, holds one key, and is not made again."""
    keys.make_first()
    first = keys.read_file()
    keys.make_first()

    assert keys.read_file() == first
    assert len(first) == 1
    assert stat.S_IMODE(keys.path().stat().st_mode) == 0o600
    assert [path.name for path in home().iterdir()] == [keys.FILE]


def make_and_read(_):
    keys.make_first()
    return keys.read_file()


def test_of_many_processes_that_make_one_at_once_one_wins():
    """Whoever comes second uses the key of the first, whole."""
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        found = list(pool.map(make_and_read, range(64)))

    assert all(keys_ == found[0] for keys_ in found)


def test_a_setting_goes_before_the_file(monkeypatch):
    """Keys from the environment are used as they are: the first encrypts, all decrypt."""
    keys.make_first()
    old, new = keys.generate(), keys.generate()
    monkeypatch.setenv("SYNCLINE_ENCRYPTION_KEYS", old)
    connection_id = uuid4()
    sealed = seal(connection_id, {"api_key": "x"})

    monkeypatch.setenv("SYNCLINE_ENCRYPTION_KEYS", f" {new}, {old} ,")

    assert unseal(connection_id, sealed) == {"api_key": "x"}
    assert Fernet(new).decrypt(seal(connection_id, {}))


@pytest.mark.parametrize("garbage", ["hunter2", "", ",", "é", "a" * 44])
def test_a_garbled_setting_is_named_and_not_shown(monkeypatch, garbage):
    """The sentence names the variable; what stands in it is not repeated."""
    monkeypatch.setenv("SYNCLINE_ENCRYPTION_KEYS", f"{keys.generate()},{garbage}" if garbage == "hunter2" else garbage)

    with pytest.raises(KeysUnusable) as caught:
        seal(uuid4(), {})

    assert "SYNCLINE_ENCRYPTION_KEYS" in str(caught.value) or not garbage
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("garbage", [b"hunter2\n", b"", b"\xff\xfe"])
def test_a_garbled_file_is_named_and_not_shown(garbage):
    """The sentence names the file; what stands in it is not repeated."""
    (home() / keys.FILE).write_bytes(garbage)

    with pytest.raises(KeysUnusable, match=r"encryption\.keys") as caught:
        seal(uuid4(), {})

    assert "hunter2" not in str(caught.value)


def test_missing_keys_say_where_they_belong(monkeypatch):
    """With an embedded database the file is missing, with one of one's own the setting."""
    with pytest.raises(KeysUnusable, match=r"encryption\.keys"):
        seal(uuid4(), {})
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql:///mine")

    with pytest.raises(KeysUnusable, match="SYNCLINE_ENCRYPTION_KEYS"):
        seal(uuid4(), {})


def test_credentials_open_only_in_their_own_row():
    """A ciphertext that was moved to another connection is refused."""
    keys.make_first()
    mine, other = uuid4(), uuid4()
    sealed = seal(mine, {"api_key": "canary"})

    with pytest.raises(KeysUnusable, match="made for another") as caught:
        unseal(other, sealed)

    assert "canary" not in f"{caught.value!r}"
    assert "canary" not in sealed


def test_a_changed_ciphertext_is_refused():
    """Encryption is authenticated: one bit flipped, and it does not open."""
    keys.make_first()
    mine = uuid4()
    sealed = seal(mine, {"api_key": "x"})
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]

    with pytest.raises(KeysUnusable, match="key that is not here"):
        unseal(mine, changed)
