"""The way to the status page: the admin token, or a link that works once."""
