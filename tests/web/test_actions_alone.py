"""Actions while Prefect is away."""


async def test_without_prefect(site, connect_to, provider, stripe):
    """Nothing is sent without an allowance: 503, and the same key may try again."""
    price = provider.create("prices", recurring={"interval": "month"}, unit_amount=1500, currency="eur")
    order = {"customer": provider.create("customers")["id"], "price": price["id"]}

    said = await site.api.post(
        f"/connections/{await connect_to(provider)}/actions/stripe.create_subscription",
        json=order,
        headers={"Idempotency-Key": "k"},
    )

    assert (said.status_code, said.json()["code"]) == (503, "unsent")
    assert "Prefect" in said.json()["detail"]
    assert provider.truth("subscriptions") == {}
