"""Figures as a person reads them."""

MINUTE = 60


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
