"""The columns of each kind of record, from the pinned version's shape; older shapes fill them where they can.

In the pinned version a subscription's period is on its items, and an invoice knows its subscription by `parent`.
"""

from connectors.columns import Column, decimal, flag, integer, minor, moment, text, texts


def reference(name: str) -> Column:
    """Another object's id, also where that object is given in full."""
    return text(name, (name, "id"))


_ALWAYS = {"created": moment(), "livemode": flag()}

CUSTOMER = _ALWAYS | {
    "email": text(),
    "name": text(),
    "phone": text(),
    "description": text(),
    "currency": text(),
    "balance": minor(),
    "delinquent": flag(),
    "country": text(("address", "country"), note="of the billing address"),
    "tax_exempt": text(),
    "invoice_prefix": text(),
    "preferred_locales": texts(),
    "default_source": reference("default_source"),
    "default_payment_method": text(
        ("invoice_settings", "default_payment_method"), ("invoice_settings", "default_payment_method", "id")
    ),
    "test_clock": reference("test_clock"),
}

PRODUCT = _ALWAYS | {
    "name": text(),
    "active": flag(),
    "description": text(),
    "default_price": reference("default_price"),
    "type": text(),
    "unit_label": text(),
    "statement_descriptor": text(),
    "tax_code": reference("tax_code"),
    "shippable": flag(),
    "url": text(),
    "images": texts(),
    "updated": moment(),
}

PRICE = _ALWAYS | {
    "product": reference("product"),
    "active": flag(),
    "currency": text(),
    "unit_amount": minor(),
    "unit_amount_decimal": decimal(note="in the minor unit of its currency, with fractions of it"),
    "type": text(),
    "billing_scheme": text(),
    "recurring_interval": text(("recurring", "interval")),
    "recurring_interval_count": integer(("recurring", "interval_count")),
    "recurring_usage_type": text(("recurring", "usage_type")),
    "lookup_key": text(),
    "nickname": text(),
    "tax_behavior": text(),
    "tiers_mode": text(),
}

SUBSCRIPTION = _ALWAYS | {
    "status": text(note="a cancelled subscription stays, as canceled"),
    "customer": reference("customer"),
    "currency": text(),
    "collection_method": text(),
    "current_period_start": moment(
        ("items", "data", "0", "current_period_start"), "current_period_start", note="of the first item"
    ),
    "current_period_end": moment(
        ("items", "data", "0", "current_period_end"), "current_period_end", note="of the first item"
    ),
    "cancel_at_period_end": flag(),
    "cancel_at": moment(),
    "canceled_at": moment(),
    "ended_at": moment(),
    "start_date": moment(),
    "trial_start": moment(),
    "trial_end": moment(),
    "billing_cycle_anchor": moment(),
    "days_until_due": integer(),
    "default_payment_method": reference("default_payment_method"),
    "latest_invoice": reference("latest_invoice"),
    "schedule": reference("schedule"),
    "description": text(),
    "test_clock": reference("test_clock"),
}

INVOICE = _ALWAYS | {
    "number": text(),
    "status": text(),
    "customer": reference("customer"),
    "customer_email": text(),
    "customer_name": text(),
    "subscription": text(
        ("parent", "subscription_details", "subscription"),
        ("parent", "subscription_details", "subscription", "id"),
        "subscription",
        ("subscription", "id"),
    ),
    "currency": text(),
    "amount_due": minor(),
    "amount_paid": minor(),
    "amount_remaining": minor(),
    "amount_overpaid": minor(),
    "amount_shipping": minor(),
    "subtotal": minor(),
    "total": minor(),
    "total_excluding_tax": minor(),
    "starting_balance": minor(),
    "ending_balance": minor(),
    "billing_reason": text(),
    "collection_method": text(),
    "description": text(),
    "attempted": flag(),
    "attempt_count": integer(),
    "auto_advance": flag(),
    "due_date": moment(),
    "effective_at": moment(),
    "next_payment_attempt": moment(),
    "period_start": moment(),
    "period_end": moment(),
    "finalized_at": moment(("status_transitions", "finalized_at")),
    "paid_at": moment(("status_transitions", "paid_at")),
    "voided_at": moment(("status_transitions", "voided_at")),
    "marked_uncollectible_at": moment(("status_transitions", "marked_uncollectible_at")),
    "default_payment_method": reference("default_payment_method"),
    "hosted_invoice_url": text(),
    "invoice_pdf": text(),
    "test_clock": reference("test_clock"),
}

CHARGE = _ALWAYS | {
    "status": text(),
    "amount": minor(),
    "amount_captured": minor(),
    "amount_refunded": minor(),
    "application_fee_amount": minor(),
    "currency": text(),
    "customer": reference("customer"),
    "payment_intent": reference("payment_intent"),
    "payment_method": text(),
    "payment_method_type": text(("payment_method_details", "type")),
    "balance_transaction": reference("balance_transaction"),
    "description": text(),
    "paid": flag(),
    "captured": flag(),
    "refunded": flag(),
    "disputed": flag(),
    "failure_code": text(),
    "failure_message": text(),
    "billing_name": text(("billing_details", "name")),
    "billing_email": text(("billing_details", "email")),
    "receipt_email": text(),
    "receipt_url": text(),
    "statement_descriptor": text(),
}

PAYMENT_INTENT = _ALWAYS | {
    "status": text(),
    "amount": minor(),
    "amount_capturable": minor(),
    "amount_received": minor(),
    "application_fee_amount": minor(),
    "currency": text(),
    "customer": reference("customer"),
    "payment_method": reference("payment_method"),
    "payment_method_types": texts(),
    "latest_charge": reference("latest_charge"),
    "capture_method": text(),
    "confirmation_method": text(),
    "setup_future_usage": text(),
    "description": text(),
    "receipt_email": text(),
    "statement_descriptor": text(),
    "canceled_at": moment(),
    "cancellation_reason": text(),
}

REFUND = {
    "created": moment(),
    "status": text(),
    "amount": minor(),
    "currency": text(),
    "charge": reference("charge"),
    "payment_intent": reference("payment_intent"),
    "customer": reference("customer"),
    "balance_transaction": reference("balance_transaction"),
    "reason": text(),
    "failure_reason": text(),
    "receipt_number": text(),
}
