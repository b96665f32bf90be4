"""Why Stripe does not do what it is asked, in plain words.

https://docs.stripe.com/error-codes, https://docs.stripe.com/declines/codes
"""

_THINGS = {
    "customer": "customer",
    "price": "price",
    "items[0][price]": "price",
    "subscription": "subscription",
    "id": "subscription",
    "default_payment_method": "payment method",
}

_DECLINES = {
    "insufficient_funds": "The card was declined: there is not enough money on it. Use another card.",
    "expired_card": "The card was declined: it has expired. Use another card.",
    "incorrect_cvc": "The card was declined: its security code is wrong. Enter the card again.",
    "invalid_cvc": "The card was declined: its security code is wrong. Enter the card again.",
    "incorrect_number": "The card was declined: its number is wrong. Enter the card again.",
    "invalid_number": "The card was declined: its number is wrong. Enter the card again.",
    "lost_card": "The card was declined. Use another card.",
    "stolen_card": "The card was declined. Use another card.",
    "card_velocity_exceeded": "The card was declined: it was used too often or for too much. Use another card.",
    "withdrawal_count_limit_exceeded": "The card was declined: its limit is reached. Use another card.",
    "currency_not_supported": "The card was declined: it does not pay in this currency. Use another card.",
    "authentication_required": "The bank wants the customer to confirm this payment. Ask the customer to do so.",
    "processing_error": "The card could not be charged because of trouble on the way to the bank. Try again later.",
    "issuer_not_available": "The customer's bank could not be reached. Try again later.",
    "try_again_later": "The customer's bank did not decide. Try again later.",
}
_DECLINED = "The card was declined. Use another card, or ask the customer to speak with the bank."

_REASONS = {
    "customer_tax_location_invalid": "The customer's address is not one that taxes can be worked out for. Correct it.",
    "parameter_missing": "{provider} needs more than was given to do this.",
    "api_key_expired": "The {provider} key has expired. Connect the account again.",
    "testmode_charges_only": "This {provider} account is not activated yet: it works in test mode only.",
    "amount_too_small": "The amount is smaller than {provider} takes in this currency.",
    "amount_too_large": "The amount is larger than {provider} takes.",
    "resource_already_exists": "{provider} has this already.",
    "customer_max_subscriptions": "This customer already has as many subscriptions as {provider} allows.",
    "expired_card": _DECLINES["expired_card"],
    "incorrect_cvc": _DECLINES["incorrect_cvc"],
    "incorrect_number": _DECLINES["incorrect_number"],
    "processing_error": _DECLINES["processing_error"],
    "authentication_required": _DECLINES["authentication_required"],
    "subscription_payment_intent_requires_action": _DECLINES["authentication_required"],
}


def reason(code: str | None, decline: str | None, param: str | None) -> str:
    """A sentence that says what is wrong and, where it can be known, what to do."""
    thing = _THINGS.get(param or "")
    if code == "card_declined":
        return _DECLINES.get(decline or "", _DECLINED)
    if code == "resource_missing":
        what = f"no {thing} with this id" if thing else "no such object"
        return "{provider} has " + what + ". Check the id, and that it is of this account and mode."
    if code in _REASONS:
        return _REASONS[code]
    if thing:
        return "{provider} did not accept this " + thing + ". Look at it in the {provider} dashboard."
    return "{provider} did not accept this. Look at the request in the log of the {provider} dashboard."
