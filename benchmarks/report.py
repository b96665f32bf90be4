"""The figures as one table, each beside what it is to be."""

import os
import platform
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench BENCH=--write -->", "<!-- end of figures -->"


def table(found):
    """Markdown, and readable as it is."""
    rows = [("what", "figure", "ratio", "wanted", "")]
    for part in (_loads, _memory, _limited, _gmail, _slack, _tokens, _webhooks, _page, _idle, _help):
        rows += part(found)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, CPython {platform.python_version()}"
    return f"Measured on {machine}: {found['records']:,} customers of about 1 kB.\n\n" + "\n".join(lines)


def write(text):
    """The figures of docs/performance.md are these; everything else in it stays."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _row(what, figure, ratio="", wanted="", met=None):
    return (what, figure, ratio, wanted, "" if met is None else "yes" if met else "MISSED")


def _loads(found):
    if "floor_first" not in found:
        return
    for what, title in (("first", "first load"), ("reload", "reload, unchanged")):
        floor, ours = found[f"floor_{what}"], found[f"syncline_{what}"]
        ratio = ours["rate"] / floor["rate"]
        yield _row(f"{title}: floor by hand", f"{floor['rate']:,.0f}/s", "1")
        yield _row(f"{title}: Syncline", f"{ours['rate']:,.0f}/s", f"{ratio:.2f} of the floor", ">= 0.6", ratio >= 0.6)
    whole = found["syncline_first"]["seconds"]
    yield _row("whole `syncline sync ID --full`", f"{whole:.1f} s", "1")
    for how, least in (("tuned", 1), ("default", 3)):
        seconds = found[f"dlt_{how}"]["seconds"]
        ratio = seconds / whole
        wanted = f"{'>' if least == 1 else '>='} {least}"
        met = ratio > least if least == 1 else ratio >= least
        yield _row(f"whole dlt process, {how}", f"{seconds:.1f} s", f"{ratio:.1f} x Syncline", wanted, met)
    yield _row("whole floor process", f"{found['floor_first']['seconds']:.1f} s")


def _webhooks(found):
    if "webhooks" not in found:
        return
    seen = found["webhooks"]
    ratio = seen["rate"] / seen["bare"]
    yield _row("deliveries: bare route, one HMAC and one row", f"{seen['bare']:,.0f}/s", "1")
    yield _row("deliveries acknowledged", f"{seen['rate']:,.0f}/s", f"{ratio:.2f} of it", ">= 0.5", ratio >= 0.5)
    yield _row("1,000 deliveries in 5 s: p99", f"{seen['p99'] * 1000:.0f} ms", "", "< 1 s", seen["p99"] < 1)
    yield _row(
        "delivery to row, a run lingers: median",
        f"{seen['median'] * 1000:.0f} ms",
        "",
        "< 300 ms",
        seen["median"] < 0.3,
    )
    yield _row("the same: p99", f"{seen['slowest'] * 1000:.0f} ms", "", "< 2 s", seen["slowest"] < 2)
    yield _row("delivery to row, cold", f"{seen['cold']:.1f} s", "", "< 8 s", seen["cold"] < 8)
    yield _row("Slack messages drained", f"{seen['messages']:,.0f}/s", "", ">= 1,000/s", seen["messages"] >= 1000)
    share = f"{seen['share']:.0%} of the limit"
    yield _row("Stripe objects drained", share, f"{seen['reads']:.2f} reads each", ">= 85 %", seen["share"] >= 0.85)


def _memory(found):
    few, many = found.get("syncline_first"), found.get("memory")
    if few:
        peak = few["peak_mb"]
        yield _row(f"peak memory, {found['records']:,} records", f"{peak:.0f} MB", "", "< 300 MB", peak < 300)
    if many:
        peak = many["peak_mb"]
        yield _row(f"peak memory, {found['many']:,} records", f"{peak:.0f} MB", "", "< 300 MB", peak < 300)
        yield _row(f"first load of {found['many']:,}", f"{many['rate']:,.0f}/s")
    if few and many:
        growth = many["peak_mb"] / few["peak_mb"] - 1
        yield _row("growth of the peak", f"{growth:+.0%}", "", "within 15 %", abs(growth) <= 0.15)


def _limited(found):
    if "limited" in found:
        figures = found["limited"]
        share, worst = figures["share"], figures["busiest_second"]
        yield _row("20,000 records at 50 ms: share of the limit", f"{share:.0%}", "", ">= 85 %", share >= 0.85)
        yield _row("the same: busiest second", f"{worst} requests", "", "<= 25", worst <= 25)
        yield _row("the same: refused", str(figures["refused"]), "", "0", figures["refused"] == 0)


def _gmail(found):
    if "gmail" in found:
        figures = found["gmail"]
        share, growth = figures["share"], figures["peak_mb"] / figures["few_peak_mb"] - 1
        what = f"Gmail, {figures['read']:,} messages at 50 ms"
        yield _row(f"{what}: share of a limit of 4,000 units/s", f"{share:.0%}", "", ">= 85 %", share >= 0.85)
        yield _row(f"{what}: refused", str(figures["refused"]), "", "0", figures["refused"] == 0)
        yield _row(
            f"{what}: peak memory",
            f"{figures['peak_mb']:.0f} MB",
            f"{growth:+.0%} over 2,000",
            "< 300 MB",
            growth < 0.15,
        )


def _slack(found):
    if "slack" in found:
        figures = found["slack"]
        share = figures["share"]
        what = "Slack, 200 channels x 100 messages at 50 ms"
        yield _row(f"{what}: share of a limit of 20/s", f"{share:.0%}", "", ">= 85 %", share >= 0.85)
        yield _row(
            f"{what}: busiest second",
            f"{figures['busiest_second']} requests",
            "",
            "<= 20",
            figures["busiest_second"] <= 20,
        )


def _tokens(found):
    if "tokens" in found:
        figures = found["tokens"]
        what = "50 workers ask for one expired token"
        once = figures["requests"] == figures["tokens"] == 1
        yield _row(what, f"{figures['requests']} token request", "", "1", once)
        yield _row("the same: the last one waited", f"{figures['slowest']:.1f} s")


def _page(found):
    if "page" not in found:
        return
    seen = found["page"]
    what = "1,000 connections, 100,000 runs, 1,000,000 events"
    for name, title, most in (
        ("first_byte", "the page, first byte", 200),
        ("poll", "a look for news, nothing new", 50),
        ("status", "the status object", 300),
        ("one", "a connection's page, first byte", 200),
    ):
        took = seen[name] * 1000
        yield _row(f"{what}: {title}", f"{took:.0f} ms", "", f"< {most} ms", took < most)
    yield _row(
        "two replicas of the page behave as one", "yes" if seen["replicas"] else "no", "", "yes", seen["replicas"]
    )


def _idle(found):
    if "idle" in found:
        figures = found["idle"]
        count = found["connections"]
        each = (figures["many"] - figures["one"]) / (count - 1) * 1000
        yield _row("idle incremental: CPU per further connection", f"{each:.0f} ms", "", "< 150 ms", each < 150)
        yield _row(f"idle incremental over {count}: the whole run", f"{figures['seconds']:.1f} s")
        yield _row(
            "1,000 idle connections at that pace", f"{figures['seconds'] / count * 1000 / 60:.1f} min", "", "< 15 min"
        )


def _help(found):
    if "help" in found:
        yield _row("`syncline --help`", f"{found['help']:.2f} s", "", "< 0.5 s", found["help"] < 0.5)
