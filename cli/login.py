from typing import TYPE_CHECKING

from cli.options import Json

if TYPE_CHECKING:
    from storage.database import Database


def login(*, as_json: Json = False) -> None:
    """Print a link to the status page that works once within 10 minutes, and where Prefect's UI is."""
    from cli import output
    from cli.opening import with_database
    from deployments import run_file
    from deployments.parts import web_for_command
    from deployments.prefect_ui import password_place, ui_url
    from storage import settings

    web = web_for_command()

    async def work(db: "Database") -> str:
        from storage.logins import make_link

        return await make_link(db)

    link = f"{web}/login?once={with_database(work)}"
    running = run_file.read(settings.home())
    prefect = ui_url(running.prefect_api_url if running else None)
    password = password_place(settings.home()) if running and running.prefect_is_ours else None
    if as_json:
        output.as_json({"url": link, "prefect_url": prefect, "prefect_password_in": password})
        return
    output.data(link)
    output.say("Works once, within 10 minutes.")
    if prefect:
        output.say(f"Prefect's UI is {prefect}" + (f"; its user and password are in {password}" if password else ""))
