"""The status page: how every connection stands, for the people who look after them."""
