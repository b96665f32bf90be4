"""Where the web application is, whom it lets in, and where it may send a browser back to."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deployments.home import kept_secret
from storage import settings
from storage.errors import SettingsError

PORT = 8000
TOKEN_FILE = "admin.token"  # noqa: S105 -- the file's name
SHORTEST_TOKEN = 32
DEFAULT_PORTS = {"http": 80, "https": 443}
HIGHEST_PORT = 65_535


class WebSettings(BaseSettings):
    """What the environment says, as it stands there."""

    model_config = SettingsConfigDict(env_prefix="SYNCLINE_", hide_input_in_errors=True, env_ignore_empty=True)

    public_url: str | None = None
    """The origin as browsers and providers see it: addresses to register begin with it. None: where `up` listens."""
    return_origins: str = ""
    """Origins, separated by commas, that a connect link may send a browser back to; none: the public one."""
    admin_token: SecretStr | None = None
    """What the REST API and the login ask for, at least 32 characters; generated while the database is embedded."""
    trusted_proxies: str = ""
    """Addresses or networks, separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    sandbox_url: str | None = None
    """Where fake providers have their page, for a link to it from the status page; the demo sets it."""


@dataclass(frozen=True, slots=True)
class Web:
    """The settings in force."""

    public_url: str
    """The origin that browsers and providers know: scheme, host and port."""
    return_origins: frozenset[str]
    admin_token: str = field(repr=False)
    trusted_proxies: tuple[str, ...]
    """Addresses and networks whose forwarded headers are believed."""
    sandbox_url: str | None = None
    """Where the fake providers have their page, for a link to it; they are there in the demo and in tests alone."""

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https:")


def load(listening: str = f"http://127.0.0.1:{PORT}") -> Web:
    """The settings in force; *listening* is the public address where none is set. SettingsError, naming the variable
    and never its value, when one is missing or malformed.
    """
    try:
        said = WebSettings()
    except ValidationError as error:  # bytes that are no text
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0]).upper()
        raise SettingsError(f"SYNCLINE_{name} cannot be read.", f"Set SYNCLINE_{name} again.") from None
    public = public_url(said.public_url or listening)
    named = [_origin("SYNCLINE_RETURN_ORIGINS", text) for text in said.return_origins.split(",") if text.strip()]
    return Web(
        public_url=public,
        return_origins=frozenset(named or [public]),
        admin_token=_admin_token(said.admin_token),
        trusted_proxies=tuple(_network(text) for text in said.trusted_proxies.split(",") if text.strip()),
        sandbox_url=_origin("SYNCLINE_SANDBOX_URL", said.sandbox_url) if said.sandbox_url else None,
    )


def public_url(text: str) -> str:
    """The origin that SYNCLINE_PUBLIC_URL says, or SettingsError."""
    return _origin("SYNCLINE_PUBLIC_URL", text)


def origin_of(url: str) -> str | None:
    """The address' scheme, host and port as browsers write an origin; None where it has none or more than that in it,
    such as a password or letters that are not ASCII.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \\<>\"'`{}|^")
    if not plain or parts.scheme not in DEFAULT_PORTS or not host or set(parts.netloc) & set("@%,"):
        return None
    if port == 0 or parts.netloc.endswith(":") or not _is_host(host):
        return None
    host = host.lower()
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != DEFAULT_PORTS[parts.scheme] else "")


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return bool(ipaddress.IPv6Address(host))
        except ValueError:
            return False
    return all(label and label.strip("-") == label and label.replace("-", "").isalnum() for label in host.split("."))


def _origin(variable: str, text: str) -> str:
    origin = origin_of(text.strip())
    if origin is None or urlsplit(text.strip()).path not in {"", "/"} or set(text) & set("?#"):
        raise SettingsError(
            f"{variable} is malformed.", f"Set {variable} to an origin such as https://app.example.com, without a path."
        )
    return origin


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        raise SettingsError(
            "SYNCLINE_TRUSTED_PROXIES is malformed.",
            "Set SYNCLINE_TRUSTED_PROXIES to addresses or networks, such as 10.0.0.7,10.1.0.0/16.",
        ) from None


def _admin_token(given: SecretStr | None) -> str:
    """As set, else generated once where the database is our own."""
    variable = "SYNCLINE_ADMIN_TOKEN"
    if given is None:
        if settings.is_embedded():
            return kept_secret(settings.home() / TOKEN_FILE)
        raise SettingsError(
            f"{variable} is not set, and it is needed with a database of your own.",
            f"Set {variable} to a random text of at least {SHORTEST_TOKEN} characters.",
        )
    token = given.get_secret_value().strip()
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(
            f"{variable} is too short to be safe.", f"Set {variable} to at least {SHORTEST_TOKEN} random characters."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"{variable} holds characters that no header can carry.", f"Set {variable} to letters and digits."
        )
    return token
