"""The sandbox's methods are those of the discovery documents that come with google-api-python-client."""

import json
from importlib import resources

import pytest

from sandbox.google.routes import ROUTES

FOLDER = resources.files("googleapiclient") / "discovery_cache" / "documents"


def methods(part, prefix=""):
    """Every method of a document by its name."""
    for name, method in part.get("methods", {}).items():
        yield prefix + name, method
    for name, inner in part.get("resources", {}).items():
        yield from methods(inner, f"{prefix}{name}.")


@pytest.fixture(scope="module")
def documents():
    found = {}
    for service, name in (("calendar", "calendar.v3"), ("gmail", "gmail.v1")):
        document = json.loads((FOLDER / f"{name}.json").read_bytes())
        found[service] = (document["servicePath"], dict(methods(document)))
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_address_and_scopes_are_googles(documents, route):
    """The HTTP method, the path, and the scopes of which any one is enough; add-ons are left out."""
    base, known = documents[route.service]
    method = known[route.name]

    assert route.method == method["httpMethod"]
    assert route.template == f"/{base}{method['path']}"
    assert route.scopes == {scope for scope in method["scopes"] if ".addons." not in scope}
