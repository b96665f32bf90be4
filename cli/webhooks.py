from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json

if TYPE_CHECKING:
    from datetime import datetime

    from storage.database import Database

app = typer.Typer(
    name="webhooks",
    help="Show what providers pushed, or apply it again.",
    epilog="Example: syncline webhooks --failed",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def webhooks(
    context: typer.Context,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that could not be applied.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the inbox: verified deliveries, and what became of them."""
    if context.invoked_subcommand is None:
        _show(limit, failed=failed, as_json=as_json)


@app.command(epilog="Example: syncline webhooks replay --since 2026-11-24T18:00")
def replay(
    event_id: Annotated[
        str | None, typer.Argument(metavar="[EVENT_ID]", help="An event's id, or its unique beginning.")
    ] = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="All that could not be applied.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="All received since then: ISO 8601, UTC unless it says otherwise."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Apply events again: one, all that failed, or all since a time. What is newer here stays as it is."""
    from cli import output
    from cli.opening import with_database

    if sum([event_id is not None, failed, since is not None]) != 1:
        raise typer.BadParameter("Name one event, or --failed, or --since TIME.")
    moment = _moment(since) if since is not None else None

    async def work(db: "Database") -> int:
        from storage import inbox, inbox_lists

        if event_id is not None:
            await inbox_lists.replay(db, event_id)
            count = 1
        else:
            count = await inbox_lists.replay_all(db, failed=failed, since=moment)
        await inbox.tell(db)
        return count

    count = with_database(work)
    if as_json:
        output.as_json({"replayed": count})
    elif count:
        output.success(
            f"To be applied again: {count}. The next run takes them; while `syncline up` runs, within a minute."
        )
    else:
        output.say("There is nothing to apply again.")


def _moment(text: str) -> "datetime":
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("--since takes a time such as 2026-11-24 or 2026-11-24T18:00Z.") from None


def _show(limit: int, *, failed: bool, as_json: bool) -> None:
    from cli import output
    from cli.opening import with_database
    from cli.tables import print_table

    async def work(db: "Database") -> list[dict[str, Any]]:
        from storage.inbox_lists import listing

        return await listing(db, limit=limit, status="failed" if failed else None)

    found = with_database(work)
    if as_json:
        output.as_json({"items": found})
    elif not found:
        output.say(
            "Nothing has failed." if failed else "Nothing has been pushed yet: `syncline doctor` prints the addresses."
        )
    else:
        print_table(["ID", "CONNECTION", "EVENT", "RECEIVED", "STATUS", "WHY"], [_row(event) for event in found])


def _row(event: dict[str, Any]) -> list[str]:
    from cli.tables import ago

    connection = (event["connection_id"] or "-")[:8]
    kind = f"{event['connector']} {event['event_type'] or '-'}"
    return [event["id"][:8], connection, kind, ago(event["received_at"]), event["status"], event["error"] or ""]
