"""Published rate limits, and the setting that overrides them."""

import json
import math
import os
from collections.abc import Mapping

from connectors.errors import Misconfigured
from connectors.session import Limit


def rate_limits(connector: str, title: str, published: Mapping[str, Limit]) -> dict[str, Limit]:
    """The limits in force: *published*, with what SYNCLINE_<CONNECTOR>_RATE_LIMITS says put over it.

    Misconfigured, naming the variable and never its value, when that cannot be understood.
    """
    variable = f"SYNCLINE_{connector.upper()}_RATE_LIMITS"
    said = os.environ.get(variable, "").strip()
    if not said:
        return dict(published)
    try:
        given = json.loads(said)
        return dict(published) | {str(bucket): _limit(limit) for bucket, limit in given.items()}
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        pass
    raise Misconfigured(
        title, f'{variable} must be JSON such as {{"bucket": {{"units": 25, "per_seconds": 1}}}} with positive numbers.'
    )


def _limit(said: Mapping[str, float]) -> Limit:
    if set(said) - {"units", "per_seconds"}:
        raise ValueError
    units, seconds = said["units"], said.get("per_seconds", 1)
    for number in (units, seconds):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError
        if not (math.isfinite(number) and number > 0):
            raise ValueError
    return Limit(float(units), float(seconds))
