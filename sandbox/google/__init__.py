"""A fake Google that behaves as the real one is documented to: sign-in, Calendar API v3 and Gmail API v1."""
