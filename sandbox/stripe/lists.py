"""Stripe's lists: newest first, a cursor that is an id, filters, and `has_more`.

https://docs.stripe.com/api/pagination
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe import errors, events
from sandbox.stripe.errors import Refusal
from sandbox.stripe.forms import Params
from sandbox.stripe.store import Place, Record, Shelf, Store

PAGING = ("limit", "starting_after", "ending_before", "expand")
TYPES_AT_MOST = 20
LIMIT, LIMIT_AT_MOST = 10, 100


def page(store: Store, stream: str, params: Params) -> list[Record]:
    """One page of a stream, and one record more if there is one."""
    shelf = store.shelves[stream]
    _check_names(params, (*PAGING, "created", *shelf.kind.filters, *_EXTRA.get(stream, ())))
    low, high = _window(shelf, params.get("created"))
    gone = store.deleted_cursors
    wanted = _filter(store, shelf, params)
    count = limit(params)
    if "ending_before" in params:
        if "starting_after" in params:
            message = "You cannot parameterize both starting_after and ending_before."
            raise Refusal(400, message, param="starting_after")
        low = max(low, bisect_right(shelf.order, _place(shelf, params, "ending_before", deleted=gone)))
        return list(_take(shelf, range(low, high), wanted, count + 1))
    if "starting_after" in params:
        high = min(high, bisect_left(shelf.order, _place(shelf, params, "starting_after", deleted=gone)))
    return list(_take(shelf, range(high - 1, low - 1, -1), wanted, count + 1))


def limit(params: Params) -> int:
    """How many were asked for, 10 unless said."""
    text = params.get("limit", str(LIMIT))
    count = integer("limit", text)
    if not 1 <= count <= LIMIT_AT_MOST:
        bound = "greater than or equal to 1" if count < 1 else f"less than or equal to {LIMIT_AT_MOST}"
        message = f"This value must be {bound} (it currently is '{text}')."
        raise Refusal(400, message, code="parameter_invalid_integer", param="limit")
    return count


def cut(rows: Sequence[Any], params: Params) -> tuple[list[Any], bool]:
    """The page itself, newest first, and whether there is more in the direction of reading."""
    count = limit(params)
    shown, more = list(rows[:count]), len(rows) > count
    return (shown[::-1] if "ending_before" in params else shown), more


def envelope(bodies: Sequence[bytes], url: str, *, more: bool) -> bytes:
    """A page as Stripe wraps it."""
    flag = b"true" if more else b"false"
    return b'{"object":"list","data":[%s],"has_more":%s,"url":"%s"}' % (b",".join(bodies), flag, url.encode())


def nested(rows: list[dict[str, Any]], params: Params, title: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """One page, and one row more, of a list inside an object."""
    _check_names(params, (*PAGING, *names))
    ids = [row["id"] for row in rows]
    count = limit(params)
    if "ending_before" in params:
        end = _index(ids, params["ending_before"], title, "ending_before")
        return rows[max(0, end - count - 1) : end][::-1]
    start = _index(ids, params["starting_after"], title, "starting_after") + 1 if "starting_after" in params else 0
    return rows[start : start + count + 1]


def integer(name: str, text: Any) -> int:
    """A whole number, or Stripe's refusal."""
    try:
        return int(text)
    except (TypeError, ValueError):
        raise Refusal(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name) from None


_EXTRA = {"products": ("ids",), "prices": ("lookup_keys",)}


def _check_names(params: Params, known: Sequence[str]) -> None:
    for name in params:
        if name not in known:
            raise errors.unknown_parameter(name)
    for path in params.get("expand", ()):
        raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")


def _window(shelf: Shelf, created: Any) -> tuple[int, int]:
    """The slice of the order that the `created` filter leaves."""
    low, high = 0, len(shelf.order)
    bounds = created.items() if isinstance(created, dict) else [("exact", created)] if created is not None else []
    for name, text in bounds:
        value = integer(f"created[{name}]", text)
        if name in ("gte", "exact"):
            low = max(low, bisect_left(shelf.order, (value,)))
        if name == "gt":
            low = max(low, bisect_left(shelf.order, (value + 1,)))
        if name in ("lte", "exact"):
            high = min(high, bisect_left(shelf.order, (value + 1,)))
        if name == "lt":
            high = min(high, bisect_left(shelf.order, (value,)))
        if name not in ("gt", "gte", "lt", "lte", "exact"):
            raise errors.unknown_parameter(f"created[{name}]")
    return low, high


def _take(shelf: Shelf, positions: range, wanted: Callable[[Record], bool], count: int) -> Iterator[Record]:
    for position in positions:
        record = shelf.records[shelf.order[position][2]]
        if wanted(record):
            yield record
            count -= 1
            if count == 0:
                return


def _place(shelf: Shelf, params: Params, name: str, *, deleted: bool) -> Place:
    """Where the cursor's object stands, or stood."""
    record = shelf.records.get(params[name])
    if record is not None:
        return record.place
    if deleted and params[name] in shelf.deleted:
        return shelf.deleted[params[name]]
    raise errors.missing(shelf.kind.name, params[name], param=name, status=400)


def _index(ids: Sequence[str], key: str, title: str, name: str) -> int:
    if key not in ids:
        raise errors.missing(title, key, param=name, status=400)
    return ids.index(key)


def _filter(store: Store, shelf: Shelf, params: Params) -> Callable[[Record], bool]:
    if shelf.kind.stream == "events":
        return _events(store, params)
    asked = {name: params[name] for name in shelf.kind.filters if name in params}
    status = asked.pop("status", None)
    clock = asked.pop("test_clock", None)
    tests = [_equal(name, value) for name, value in asked.items()]
    if "ids" in params:
        tests.append(lambda record: record.id in params["ids"])
    if shelf.kind.stream == "subscriptions":
        tests.append(_subscription_status(status))
    elif status is not None:
        tests.append(_equal("status", status))
    if clock is None:
        tests.append(lambda record: record.listed)
    else:
        tests.append(lambda record: record.facets.get("test_clock") == clock)
    return lambda record: all(test(record) for test in tests)


def _equal(name: str, value: str) -> Callable[[Record], bool]:
    def test(record: Record) -> bool:
        have = record.facets.get(name)
        if isinstance(have, bool):
            return value == ("true" if have else "false")
        return value in have if isinstance(have, list) else have == value

    return test


def _subscription_status(status: str | None) -> Callable[[Record], bool]:
    """Cancelled ones are shown only to those who ask."""
    if status == "all":
        return lambda _: True
    if status is None:
        return lambda record: record.facets.get("status") != "canceled"
    if status == "ended":
        return lambda record: record.facets.get("status") in ("canceled", "incomplete_expired")
    return lambda record: record.facets.get("status") == status


def _events(store: Store, params: Params) -> Callable[[Record], bool]:
    types = params.get("types", [params["type"]] if "type" in params else None)
    if "type" in params and "types" in params:
        raise Refusal(400, "You may only specify one of these parameters: type, types.")
    if types is not None and (not isinstance(types, list) or len(types) > TYPES_AT_MOST):
        raise Refusal(400, f"Array must have at most {TYPES_AT_MOST} items.", param="types")
    delivered = params.get("delivery_success", "true") == "true"

    def test(record: Record) -> bool:
        named = types is None or any(fnmatchcase(record.facets["type"], pattern) for pattern in types)
        return named and delivered and events.seen(store, record)

    return test
