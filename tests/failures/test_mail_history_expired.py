"""The mailbox's history no longer reaches back to where the last sync stopped, or is told while a full read goes on."""


async def test_a_full_read_by_itself(mail_sync, mail_copies, google, rows):
    """What happened in the gap is found, deletions too; the run says why it took so long, and goes on by history."""
    google.load(messages=120)
    await mail_sync()
    first, second, third, *_ = google.truth("messages")
    google.delete_message(first)
    google.label_message(second, add=("STARRED",))
    google.deliver("In the gap")
    google.forget_history()

    result = await mail_sync()

    counts = result["streams"]["messages"]
    assert (counts["written"], counts["deleted"]) == (2, 1)
    [run] = rows("SELECT notes FROM syncline.sync_run ORDER BY started_at DESC LIMIT 1")
    assert any("has to be read in full" in note for note in run["notes"])
    mail_copies.hold()
    google.delete_message(third)
    google.forget_ledger()
    await mail_sync()
    assert google.requests("users.messages.list") == []
    mail_copies.hold()


async def test_only_messages_are_read_in_full(mail_sync, mail_copies, google):
    """The labels go on as ever."""
    google.load(messages=10)
    await mail_sync()
    google.create_label("Bills")
    google.forget_history()

    await mail_sync()

    mail_copies.hold()
    assert mail_copies.state()["cursor"] != mail_copies.state("labels")["cursor"]


async def test_the_mailbox_changes_between_pages(mail_sync, mail_copies, google):
    """However ids come and go under a full read, after the next incremental sync the rows are the mailbox's."""
    google.load(messages=1_100)
    for seed in range(2):
        google.fault("shift", "users.messages.list", times=None, seed=seed, changes=4)
        google.fault("shift", "users.messages.get", after=30, times=8, seed=seed + 10, changes=2)
        await mail_sync(full=True)
        google.lift()
        await mail_sync()
        mail_copies.hold()


async def test_gone_without_a_word(mail_sync, mail_copies, google):
    """A deletion that history does not tell is found by the next full read, and no living message is retired."""
    google.load(messages=60)
    await mail_sync()
    google.delete_message(next(iter(google.truth("messages"))), silent=True)

    result = await mail_sync(full=True)

    assert result["streams"]["messages"]["deleted"] == 1
    mail_copies.hold()


async def test_trash_is_no_deletion(mail_sync, mail_copies, google):
    """Messages in the trash and in spam are on the list of a full read: none of them is retired, nor asked for."""
    google.load(messages=90)
    await mail_sync()
    for key in list(mail_copies.rows())[:20]:
        google.trash(key)
    google.deliver("Junk", labels=["SPAM"])
    google.forget_ledger()

    await mail_sync(full=True)

    assert all(row["deleted_at"] is None for row in mail_copies.rows().values())
    assert len(google.requests("users.messages.get")) == 91
    mail_copies.hold()
