"""Whether all that is set can be understood; the settings themselves are declared where they are used."""

import importlib

from connectors.registry import find_connectors
from deployments import web_settings
from storage import keys, settings
from tasks import settings as task_settings


def check_settings() -> None:
    """Every settings class takes what is set, or the first error that names a variable."""
    settings.storage_settings()
    if not settings.is_embedded():
        settings.database_url()
    task_settings.load()
    web_settings.load()
    for name in find_connectors():
        importlib.import_module(f"connectors.{name}.settings").load()
    if keys.exist() or not keys.may_be_made():
        keys.load()
