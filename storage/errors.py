"""What storage can refuse, one class per reaction.

StorageError
├── SettingsError          a setting is missing or malformed: a person mends it
├── DatabaseUnreachable    Postgres cannot be reached, or the connection to it was lost: wait, then try again
├── DatabaseBusy           locked, deadlocked or without a free connection: try again soon
├── DatabaseRefused        reached, but not usable as it is set up: a person mends it
├── DatabaseReadOnly       a standby, or set to read only
├── DiskFull               somebody makes room
├── SchemaMismatch         the tables are older or newer than this code
├── KeysUnusable           the encryption keys are missing, garbled or not those that encrypted
├── UnknownId              no such row, or more than one begins like this
│   └── UnknownAction      the connector has no such action
├── Conflict               another account or mode than the connection's
│   ├── Settled            what became of an action is known already
│   └── Unconnected        an event of no connected account: there is nothing to apply
├── NotActive              the connection is paused, disconnected or asks for a new sign-in
│   └── NotGranted         the user has not granted what this needs
├── UnderWay               somebody else is doing just this: ask again soon
├── KeyMalformed           no idempotency key, or one that is none
├── KeyReused              the idempotency key was used for something else
└── Fenced                 another run took over, or the connection was disconnected or purged: write nothing more
"""

from typing import ClassVar


class StorageError(Exception):
    """Says what happened (`sentence`) and what to do about it (`action`); `code` is for machines."""

    code: ClassVar[str] = "storage_error"

    def __init__(self, sentence: str, action: str = "") -> None:
        super().__init__(sentence, action)
        self.sentence = sentence
        self.action = action

    def __str__(self) -> str:
        return f"{self.sentence} {self.action}".rstrip()


class SettingsError(StorageError):
    """Names the variable and never its value."""

    code = "bad_setting"


class DatabaseUnreachable(StorageError):
    code = "database_unreachable"


class DatabaseBusy(StorageError):
    code = "database_busy"


class DatabaseRefused(StorageError):
    code = "database_refused"


class DatabaseReadOnly(StorageError):
    code = "database_read_only"


class DiskFull(StorageError):
    code = "disk_full"


class SchemaMismatch(StorageError):
    code = "schema_mismatch"


class KeysUnusable(StorageError):
    code = "encryption_keys_unusable"


class UnknownId(StorageError):
    code = "unknown_id"


class UnknownAction(UnknownId):
    code = "unknown_action"


class Conflict(StorageError):
    code = "account_conflict"


class Settled(Conflict):
    code = "action_settled"


class Unconnected(Conflict):
    code = "event_of_no_connection"


class NotActive(StorageError):
    code = "connection_not_active"


class NotGranted(NotActive):
    code = "missing_scope"


class UnderWay(StorageError):
    code = "action_under_way"


class KeyMalformed(StorageError):
    code = "idempotency_key_malformed"


class KeyReused(StorageError):
    code = "idempotency_key_reused"


class Fenced(StorageError):
    code = "fenced"
