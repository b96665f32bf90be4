"""What the page says after something was done, by the word in its address: never a text from outside."""

SAID = {
    "sync": ("good", "A sync was asked for. It begins within a few seconds."),
    "no-prefect": (
        "bad",
        "Prefect does not answer, so no sync could be started. The schedule's next run comes anyway.",
    ),
    "not-active": ("bad", "This connection is not active, so there is nothing to sync."),
    "paused": ("good", "Paused. Nothing is synced until it is resumed; webhooks are kept meanwhile."),
    "resumed": ("good", "Resumed. What changed meanwhile is being read."),
    "disconnected": ("good", "Disconnected. Its rows are still there."),
    "purged": ("good", "Disconnected, and all of its rows are deleted."),
    "wrong-name": ("bad", "The name was not the account's, so nothing was deleted and nothing disconnected."),
    "replayed": ("good", "They will be applied again within a few seconds; what is newer stays as it is."),
    "retried": ("good", "All of them could be stored now."),
    "still-rejected": ("bad", "Some still cannot be stored. The reasons are below."),
    "resolved": ("good", "Noted. The same idempotency key will hear so from now on."),
    "gone": ("bad", "That is not there any more."),
}
