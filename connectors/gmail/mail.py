"""A mail as it goes out: built by the standard library, so that what is given for one header stays in it."""

import base64
import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from connectors.actions import Line

_POLICY = SMTP.clone(cte_type="7bit")
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_NAMED = re.compile(r"\s*(?P<name>[^<>\r\n]*?)\s*<(?P<address>[^<>]+)>\s*")


def address_of(text: Line) -> Address:
    """`ada@example.com` or `Ada Lovelace <ada@example.com>`; ValueError for anything else."""
    found = _NAMED.fullmatch(text)
    name, address = (found["name"].strip('" '), found["address"]) if found else ("", text.strip())
    local, _, domain = address.rpartition("@")
    try:
        host = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        host = ""
    if not _LOCAL.fullmatch(local) or not host or not name.isprintable() or any(letter in host for letter in " ,;:()"):
        raise ValueError("an e-mail address such as ada@example.com or Ada Lovelace <ada@example.com>")
    return Address(name, local, host)


def mail(to: Sequence[str], subject: str, body: str, message_id: str) -> str:
    """The mail as Gmail takes it: RFC 5322 in URL-safe base64. Gmail itself adds sender and date."""
    message = EmailMessage(policy=_POLICY)
    message["To"] = tuple(address_of(each) for each in to)
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message.set_content(body)
    return base64.urlsafe_b64encode(message.as_bytes()).decode()
