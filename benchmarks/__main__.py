"""`python -m benchmarks`: every figure that docs/performance.md gives, side by side, in one run.

--only loads,memory,limited,gmail,slack,tokens,webhooks,page,idle,help   some of them
--records N --many N --connections N    other sizes than 100,000, 1,000,000 and 200
--write                                 put the figures into docs/performance.md
"""

import argparse
import json
import os
import signal
import statistics
import sys

import httpx

from benchmarks import gmail, idle, limited, page, report, slack, tokens, webhooks
from benchmarks.measure import module, seen, server
from benchmarks.product import RAISED, Product

PARTS = ("help", "loads", "memory", "limited", "gmail", "slack", "tokens", "webhooks", "page", "idle")


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Takes about a quarter of an hour on two idle cores."
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever stops this leaves nothing running
    # What is measured is a second start, as everybody's but the first is: modules are compiled already.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {"records": options.records, "many": options.many, "connections": options.connections}
    if set(options.only) & {"help", "loads", "memory", "limited"}:
        found |= with_one_home(options)
    if set(options.only) & {"gmail", "slack", "tokens"}:
        found |= with_tokens(options)
    if "webhooks" in options.only:
        product = Product()
        with server("sandbox") as line:
            found |= webhooks.measure(product, json.loads(line)["stripe_api_url"])
        product.forget()
    if "page" in options.only:
        product = Product()
        product.command("migrate")
        found |= page.measure(product)
        product.forget()
    if "idle" in options.only:
        product = Product()
        with server("sandbox") as line:
            found["idle"] = idle.measure(product, json.loads(line)["stripe_api_url"], options.connections)
        product.forget()
    text = report.table(found)
    print(text)
    if options.write:
        report.write(text)


def with_one_home(options):
    """Everything that one `syncline up` can serve."""
    found = {}
    product = Product()
    with (
        server("benchmarks.page_server", options.records) as pages,
        server("benchmarks.page_server", options.many) as more_pages,
        server("sandbox") as line,
    ):
        sandbox = json.loads(line)["stripe_api_url"]
        # Connected before anything is up: a connection that is made later starts a full sync by itself.
        few = product.connect("sk_live_few", SYNCLINE_STRIPE_API_URL=pages)
        many = product.connect("sk_live_many", SYNCLINE_STRIPE_API_URL=more_pages)
        key = limited.account(sandbox)
        slow = product.connect(key, SYNCLINE_STRIPE_API_URL=sandbox)
        account = httpx.get(f"{sandbox}/v1/account", auth=(key, ""), trust_env=False).json()["id"]
        with product.up():
            product.command("sync", slow, "--stream", "products", SYNCLINE_STRIPE_API_URL=sandbox)
            if "help" in options.only:
                found["help"] = statistics.median(product.command("--help").seconds for _ in range(5))
            if "limited" in options.only:
                found["limited"] = limited.measure(product, slow, sandbox, account)
            if "loads" in options.only:
                found |= loads(product, few, pages, options.records)
            if "memory" in options.only:
                found["memory"] = sync(product, many, more_pages, options.many)
    product.forget()
    return found


def with_tokens(options):
    """The providers that are connected by a link, each at limits far above its own."""
    found = {}
    product = Product()
    with server("sandbox") as line:
        base = json.loads(line)["google_calendar_api_url"]
        mailboxes = [gmail.account(base, count) for count in (gmail.FEW, gmail.RECORDS)]
        channels = slack.workspace(base)
        ids = [product.store(each) for each in (*mailboxes, channels)]
        ended, settings = tokens.workspace(base)
        if "tokens" in options.only:
            found["tokens"] = tokens.measure(product, product.store(ended), base, ended["account"], settings)
        with product.up():
            if "gmail" in options.only:
                few, many = (
                    gmail.measure(product, known, base, box["account"])
                    for known, box in zip(ids, mailboxes, strict=False)
                )
                found["gmail"] = many | {"few_peak_mb": few["peak_mb"]}
            if "slack" in options.only:
                found["slack"] = slack.measure(product, ids[-1], base, channels["account"])
    product.forget()
    return found


def loads(product, connection, pages, records):
    """First load and reload: by hand, by Syncline, by dlt."""
    floor, dlt = product.database("bench_floor"), product.database("bench_dlt")
    found = {}
    for what in ("first", "reload"):
        found[f"floor_{what}"] = beside(pages, records, "benchmarks.floor", pages, floor)
        found[f"syncline_{what}"] = sync(product, connection, pages, records)
    for how in ("default", "tuned"):
        found[f"dlt_{how}"] = beside(pages, records, "benchmarks.with_dlt", how, pages, dlt)
    return found


def beside(pages, records, name, *arguments):
    """One of the others: the whole process, and its rate after the first request."""
    seen(pages)
    cost = module(name, *arguments)
    return _figures(cost, cost.said["done"], seen(pages), records)


def sync(product, connection, pages, records):
    """`syncline sync ID --full`: the whole process, and its rate from the first request to the end of the run."""
    seen(pages)
    settings = {"SYNCLINE_STRIPE_API_URL": pages, "SYNCLINE_STRIPE_RATE_LIMITS": RAISED}
    cost = product.command("sync", connection, "--full", "--json", **settings)
    counts = cost.said["streams"]["customers"]
    if cost.said["outcome"] != "done" or counts["read"] != records:
        raise SystemExit(f"the sync is not what it should be: {cost.output}")
    return _figures(cost, product.ended(cost.said["run_id"]), seen(pages), records)


def _figures(cost, done, requests, records):
    return {
        "seconds": cost.seconds,
        "cpu": cost.cpu,
        "peak_mb": cost.peak_mb,
        "rate": records / (done - requests["first"]),
        "requests": requests["requests"],
    }


if __name__ == "__main__":
    main()
