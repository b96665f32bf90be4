"""Messages and labels in Postgres are what the mailbox has: additions, deletions, labels, texts, attachments."""

from datetime import UTC, datetime


async def test_everything_is_there(mail_sync, mail_copies, google):
    """Typed columns hold who wrote what to whom and when; the text can be searched; of attachments there are ids."""
    known = google.deliver(
        "Grüße",
        "Ein Text über Äpfel",
        html="<p>Ein Text</p>",
        from_="Ann <ann@example.com>",
        attachments={"a.bin": b"canary" * 50_000},
        date=1764000000.123,
    )["id"]
    page = google.deliver("Only HTML", "", html="<h1>Über&nbsp;Birnen</h1><script>no</script>")["id"]
    google.trash(google.deliver("Old")["id"])
    google.deliver("Junk", labels=["SPAM"])
    google.draft("Not sent")
    google.create_label("Bills")
    google.load(messages=300)

    result = await mail_sync()

    assert result["streams"]["messages"]["rejected"] == 0
    assert result["streams"]["messages"]["written"] == len(google.truth("messages"))
    mail_copies.hold()
    row = mail_copies.rows()[known]
    assert (row["subject"], row["from_address"], row["to_addresses"]) == ("Grüße", "ann@example.com", [google.email])
    assert row["raw"]["internalDate"] == "1764000000123"
    assert row["sent_at"] == datetime(2025, 11, 24, 16, 0, 0, 123_000, tzinfo=UTC)
    assert row["body_text"] == "Ein Text über Äpfel"
    assert (row["label_ids"], row["thread_id"]) == (row["raw"]["labelIds"], row["raw"]["threadId"])
    assert mail_copies.rows()[page]["body_text"] == "Über Birnen"
    assert "Y2FuYXJ5Y2FuYXJ5" not in str(row["raw"])


async def test_changes_come_by_history(mail_sync, mail_copies, google):
    """One request for the history and one for the labels; each message that changed is read once."""
    google.load(messages=20)
    label = google.create_label("Bills")["id"]
    await mail_sync()
    first, second, third, *_ = google.truth("messages")
    google.deliver("New")
    google.label_message(first, add=("STARRED",), remove=("INBOX",))
    google.label_message(first, add=("IMPORTANT",))
    google.trash(second)
    google.delete_message(third)
    google.delete_message(google.deliver("Came and went")["id"])
    google.change_label(label, name="Paid bills")
    google.forget_ledger()

    result = await mail_sync()

    counts = result["streams"]["messages"]
    assert (counts["written"], counts["deleted"]) == (3, 1)
    assert len(google.requests()) == 2 + 3
    mail_copies.hold()
    rows = mail_copies.rows()
    assert rows[third]["deleted_at"] is not None
    assert rows[third]["raw"] != {}
    assert "TRASH" in rows[second]["label_ids"]


async def test_nothing_new_changes_nothing(mail_sync, mail_copies, google):
    """An idle run, and a full read of the same, leave every row as it was, to the transaction that wrote it."""
    google.load(messages=120)
    google.create_label("Bills")
    await mail_sync()
    before = mail_copies.rows(), mail_copies.rows("labels")

    idle = await mail_sync()
    again = await mail_sync(full=True)

    assert (mail_copies.rows(), mail_copies.rows("labels")) == before
    for result in (idle, again):
        assert all(not counts["written"] and not counts["deleted"] for counts in result["streams"].values())


async def test_random_changes(mail_sync, mail_copies, google):
    """Whatever happens in a mailbox, the rows follow, by its history and by a full read alike."""
    google.load(messages=40)
    await mail_sync()
    for seed in range(5):
        google.shake(seed, 15, service="gmail")
        await mail_sync()
        mail_copies.hold()

    result = await mail_sync(full=True)

    mail_copies.hold()
    assert all(not counts["written"] and not counts["deleted"] for counts in result["streams"].values())


async def test_labels_that_are_gone(mail_sync, mail_copies, google):
    """A label that is deleted becomes a tombstone by the list alone."""
    labels = [google.create_label(f"Label {n}")["id"] for n in range(3)]
    await mail_sync()
    google.delete_label(labels[1])

    await mail_sync()

    assert mail_copies.rows("labels")[labels[1]]["deleted_at"] is not None
    mail_copies.hold()
