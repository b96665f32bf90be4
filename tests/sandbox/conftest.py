"""What the sandbox's own tests speak to it with."""

import httpx
import pytest


@pytest.fixture
def api(provider):
    """The provider's API by its key, without limits in the way."""
    provider.limits()
    with httpx.Client(
        base_url=provider.url, auth=(provider.key, ""), trust_env=False, verify=False, timeout=30
    ) as client:
        yield client
