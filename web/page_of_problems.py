"""What the codes of problems mean: the part that is the application's own.

Codes of providers and of the database are explained in docs/troubleshooting.md.
"""

MEANINGS = {
    "account_conflict": "The credentials open another account or mode than the connection's.",
    "bad_request": "The request cannot be understood.",
    "connection_not_active": "The connection is paused, disconnected or waits for its user to sign in again.",
    "database_busy": "The database is busy; try again after Retry-After.",
    "database_unreachable": "The database does not answer; try again after Retry-After.",
    "encoded_body": "The body is compressed; send it as it is.",
    "foreign_origin": "A page of another site asked for a change.",
    "foreign_return_url": "The return_url is not of an origin in SYNCLINE_RETURN_ORIGINS, or is not plainly written.",
    "malformed_request": "The body or a parameter is not what the route takes; `errors` says where.",
    "method_not_allowed": "The address does not take this method.",
    "misconfigured": "A setting for the provider is missing or wrong; the sentence names it.",
    "missing_scope": "The user has not granted what this needs.",
    "no_api_key": "The connector signs in at the provider: make a link instead.",
    "not_deployed": "Prefect does not know the deployment: run `syncline deploy`.",
    "not_found": "There is nothing at this address.",
    "prefect_unreachable": "The Prefect API does not answer; try again after Retry-After.",
    "reconnect": "The provider does not accept these credentials.",
    "too_large": "The body is larger than 1 MiB.",
    "too_slow": "The body did not come in time.",
    "unauthorized": "The admin token is missing or wrong.",
    "unexpected": "Something unforeseen; the web log says where.",
    "unknown_connector": "There is no such connector.",
    "unknown_credential": "The connector takes no such credential.",
    "unknown_cursor": "The cursor is not one that a list gave.",
    "unknown_host": "The Host header names no host of ours.",
    "unknown_id": "There is no such connection.",
    "unknown_stream": "The connector has no such stream.",
    "unsupported_media_type": "The body is not JSON.",
}
