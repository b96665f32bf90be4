"""The throttle for requests of which nobody knows yet whose limits they count against."""

from collections.abc import Sequence

from connectors.session import Bucket


class FirstRequest:
    """Lets through what tells whose account it is, and what renews or ends a grant."""

    async def take(self, buckets: Sequence[Bucket], deadline: float) -> None: ...

    async def pause(self, buckets: Sequence[Bucket], seconds: float) -> None: ...
