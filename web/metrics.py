"""Figures for Prometheus, computed from Postgres when they are asked for: every replica tells the same.

No user, account or connection is in a label.
"""

from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from storage import tallies, totals
from storage.tallies import Count
from storage.totals import Gauges
from web.state import InWorkshop, version_of_product

router = APIRouter(include_in_schema=False)

INFINITE = "+Inf"


@router.get("/metrics")
async def metrics(workshop: InWorkshop) -> Response:
    """All of them, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(await tallies.totals(workshop.db), await totals.gauges(workshop.db)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Told:
    """What one look into the database has told."""

    def __init__(self, counts: list[Count], gauges: Gauges) -> None:
        self._counts = counts
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        yield self._lag()
        yield from self._gauges_told()
        info = GaugeMetricFamily("syncline_build_info", "Always 1.", labels=["version"])
        info.add_metric([version_of_product()], 1)
        yield info

    def _counters(self) -> Iterator[Metric]:
        yield _counter("syncline_sync_runs", "Syncs that have ended.", ["mode", "outcome"], self._of("runs"))
        yield _counter("syncline_records", "Records by what came of them.", ["stream", "change"], self._of("records"))
        yield _counter(
            "syncline_api_requests", "Requests to providers by status.", ["status_class"], self._of("requests")
        )
        yield _counter("syncline_webhook_events", "Webhook events by outcome.", ["outcome"], self._of("events"))
        yield _counter(
            "syncline_rate_limit_wait_seconds",
            "Time that requests have waited for a provider's limit.",
            [],
            self._of("waited_ms"),
            scale=0.001,
        )

    def _lag(self) -> Metric:
        family = HistogramMetricFamily(
            "syncline_webhook_apply_seconds", "From a webhook event's receipt to its row.", labels=["connector"]
        )
        sums = {one.connector: one.n / 1000 for one in self._of("lag_ms")}
        by_connector: dict[str, dict[str, int]] = {}
        for one in self._of("lag"):
            by_connector.setdefault(one.connector, {})[one.labels[0]] = one.n
        for connector, found in by_connector.items():
            so_far, buckets = 0, list[tuple[str, float]]()
            for top in sorted(found, key=float):
                so_far += found[top]
                buckets.append((top, so_far))
            if INFINITE not in found:
                buckets.append((INFINITE, so_far))
            family.add_metric([connector], buckets, sums.get(connector, 0.0))
        return family

    def _gauges_told(self) -> Iterator[Metric]:
        gauges = self._gauges
        yield _gauge("syncline_connections", "Connections by state.", ["connector", "state"], gauges.connections)
        yield _gauge(
            "syncline_rejected_records", "Records that are set aside.", ["connector", "stream"], gauges.rejected
        )
        yield _gauge("syncline_alerts", "Alerts that are open.", ["kind", "connector"], gauges.alerts)
        yield _gauge(
            "syncline_oldest_success_age_seconds",
            "Age of the last success of the active connection that is the furthest behind.",
            ["connector"],
            gauges.oldest_success,
        )
        yield _gauge(
            "syncline_webhook_oldest_unapplied_seconds",
            "Age of the oldest webhook event that waits to be applied.",
            [],
            [((), gauges.oldest_unapplied)],
        )

    def _of(self, name: str) -> list[Count]:
        return [one for one in self._counts if one.name == name]


def _counter(name: str, text: str, labels: list[str], counts: Iterable[Count], *, scale: float = 1) -> Metric:
    family = CounterMetricFamily(name, text, labels=["connector", *labels])
    for one in counts:
        family.add_metric([one.connector, *one.labels], one.n * scale)
    return family


def _gauge(name: str, text: str, labels: list[str], found: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, n in found:
        family.add_metric(list(values), n)
    return family
