"""Stripe's eight streams: how each is listed, and how one record is read by its id."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from connectors.answers import Answer, UnparsableError
from connectors.base import Cursor, Key, Page, Stream
from connectors.client import Client
from connectors.columns import Column
from connectors.errors import Missing
from connectors.stripe import nested, shapes
from connectors.stripe.pages import Params, pages
from connectors.stripe.records import outline
from connectors.stripe.slices import halve


class StripeStream(Stream):
    """A kind of object with a list, newest first, and a way to get one by its id."""

    kind: ClassVar[str]
    """The `object` that its records say they are."""
    lists: ClassVar[Sequence[Params]] = ({},)
    """The filters of the list, or of the lists, that hold every record."""

    @property
    def route(self) -> str:
        return f"/v1/{self.name}"

    def pages(self, client: Client, cursor: Cursor) -> AsyncIterator[Page]:
        return pages(client, self.route, self.lists, cursor)

    def split(self, cursor: Cursor) -> tuple[Cursor, Cursor] | None:
        return halve(cursor)

    async def read(self, client: Client, key: Key) -> bytes | None:
        (wanted,) = key

        def parse(answer: Answer) -> bytes | None:
            """The record, if it is the one; anything else was not meant for us."""
            record = answer.content.removeprefix(b"\xef\xbb\xbf").strip()
            seen = outline(record)
            if seen.id != wanted or seen.object != self.kind:
                raise UnparsableError
            return None if seen.deleted is True else record

        try:
            record = await client.get(f"{self.route}/{{id}}", parse, id=wanted)
        except Missing:
            return None
        return record if record is None else await nested.complete(client, record)


class Customers(StripeStream):
    """People and companies that the account bills; those on test clocks are in no list."""

    name = "customers"
    kind = "customer"
    columns: ClassVar[Mapping[str, Column]] = shapes.CUSTOMER
    source = "https://docs.stripe.com/api/customers/object"
    told_by = ("customer.*",)


class Products(StripeStream):
    """What the account sells."""

    name = "products"
    kind = "product"
    columns: ClassVar[Mapping[str, Column]] = shapes.PRODUCT
    source = "https://docs.stripe.com/api/products/object"
    told_by = ("product.*",)


class Prices(StripeStream):
    """For how much, and how often; the plain list is documented to hold the active ones alone."""

    name = "prices"
    kind = "price"
    lists: ClassVar[Sequence[Params]] = ({"active": "true"}, {"active": "false"})
    columns: ClassVar[Mapping[str, Column]] = shapes.PRICE
    source = "https://docs.stripe.com/api/prices/object"
    told_by = ("price.*",)


class Subscriptions(StripeStream):
    """Who pays for what again and again; without `status=all` the cancelled ones are left out."""

    name = "subscriptions"
    kind = "subscription"
    lists: ClassVar[Sequence[Params]] = ({"status": "all"},)
    columns: ClassVar[Mapping[str, Column]] = shapes.SUBSCRIPTION
    source = "https://docs.stripe.com/api/subscriptions/object"
    told_by = ("customer.subscription.*", "customer.discount.*")


class Invoices(StripeStream):
    """What is owed, line by line."""

    name = "invoices"
    kind = "invoice"
    columns: ClassVar[Mapping[str, Column]] = shapes.INVOICE
    source = "https://docs.stripe.com/api/invoices/object"
    told_by = ("invoice.*", "invoiceitem.*", "credit_note.*")


class Charges(StripeStream):
    """Attempts to move money."""

    name = "charges"
    kind = "charge"
    columns: ClassVar[Mapping[str, Column]] = shapes.CHARGE
    source = "https://docs.stripe.com/api/charges/object"
    told_by = ("charge.*", "refund.*")


class PaymentIntents(StripeStream):
    """Payments from the first intention to the money."""

    name = "payment_intents"
    kind = "payment_intent"
    columns: ClassVar[Mapping[str, Column]] = shapes.PAYMENT_INTENT
    source = "https://docs.stripe.com/api/payment_intents/object"
    told_by = ("payment_intent.*", "charge.dispute.*")


class Refunds(StripeStream):
    """Money that went back."""

    name = "refunds"
    kind = "refund"
    columns: ClassVar[Mapping[str, Column]] = shapes.REFUND
    source = "https://docs.stripe.com/api/refunds/object"
    told_by = ("refund.*", "charge.refund.*")


STREAMS: tuple[StripeStream, ...] = (
    Customers(),
    Products(),
    Prices(),
    Subscriptions(),
    Invoices(),
    Charges(),
    PaymentIntents(),
    Refunds(),
)
