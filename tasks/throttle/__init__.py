"""Rate limits that all processes share: Prefect's global concurrency limits, asked for in blocks."""

from tasks.throttle.throttle import PrefectThrottle

__all__ = ["PrefectThrottle"]
