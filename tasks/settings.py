"""Settings of the syncing itself."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DeleteGuard:
    """What would retire more than so many rows, and more than so many per cent of a stream, waits for a person."""

    rows: int
    percent: float

    def trips(self, absent: int, alive: int) -> bool:
        """Whether so many absent rows, of so many living ones, are more than may be retired unasked."""
        return absent > self.rows and absent * 100 > alive * self.percent


class SyncSettings(BaseSettings):
    """SYNCLINE_RUN_BUDGET_SECONDS, SYNCLINE_DELETE_GUARD, and SYNCLINE_PUBLIC_URL, which providers deliver to."""

    model_config = SettingsConfigDict(env_prefix="SYNCLINE_", hide_input_in_errors=True, env_ignore_empty=True)

    run_budget_seconds: Annotated[float, Field(gt=0)] = 600
    """A connection's share of a run; then it ends `continued`, and the next run goes on."""
    delete_guard: Annotated[str, Field(pattern=r"^ *\d{1,12} *, *(100|\d{1,2})(\.\d+)? *$")] = "100,20"
    """More than so many rows and so many per cent of a stream are never retired without `--confirm-deletes`."""
    public_url: str = ""

    @property
    def guard(self) -> DeleteGuard:
        rows, _, percent = self.delete_guard.partition(",")
        return DeleteGuard(int(rows), float(percent))


_EXPECTED = {
    "run_budget_seconds": "a number of seconds above 0, such as 600",
    "delete_guard": "rows and per cent, such as 100,20",
}


def load() -> SyncSettings:
    """The settings in force; SettingsError names the variable that is malformed, never its value."""
    try:
        return SyncSettings()
    except ValidationError as error:
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    raise SettingsError(f"SYNCLINE_{name.upper()} is malformed.", f"It takes {_EXPECTED[name]}.")
