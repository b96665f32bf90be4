"""The control tables, in the schema `syncline`, with what they tell the people who look at them.

Queries elsewhere are plain SQL; only migrations and their tests import this.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

SCHEMA = "syncline"

Moment: Any = TIMESTAMP(timezone=True)
Texts: Any = ARRAY(Text)
NOW = {"server_default": text("now()")}
NEW_ID = {"server_default": text("gen_random_uuid()")}
ZERO = {"server_default": text("0")}
ONE = {"server_default": text("1")}
TRUE = {"server_default": text("true")}
FALSE = {"server_default": text("false")}
EMPTY_OBJECT = {"server_default": text("'{}'::jsonb")}
EMPTY_LIST = {"server_default": text("'[]'::jsonb")}
EMPTY_ARRAY = {"server_default": text("'{}'::text[]")}

CONNECTION = f"{SCHEMA}.connection.id"
FULL_READ = f"{SCHEMA}.full_read.id"


class ControlTable(SQLModel):
    """What every control table shares: schema, and constraints with names that do not change by themselves."""

    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        },
    )


class Connection(ControlTable, table=True):
    __tablename__ = "connection"
    __table_args__ = (
        UniqueConstraint("connector", "user_id", "external_account_id", "mode"),
        CheckConstraint("state IN ('active', 'paused', 'needs_reconnect', 'disconnected')", name="state"),
        CheckConstraint("mode IN ('live', 'test')", name="mode"),
        {"comment": "One user's authorised account with one connector."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connector: str = Field(sa_type=Text)
    user_id: str = Field(sa_type=Text, description="The host product's own id of the user.")
    external_account_id: str = Field(sa_type=Text, description="The provider's id of the account.")
    mode: str = Field(sa_type=Text, description="live or test: some providers have two kinds of keys.")
    account: str = Field(sa_type=Text, description="The account's name, as people know it.")
    state: str = Field(sa_type=Text, description="active, paused, needs_reconnect or disconnected.")
    scopes: list[str] = Field(sa_type=Texts, sa_column_kwargs=EMPTY_ARRAY)
    credentials: str | None = Field(sa_type=Text, description="Encrypted, and bound to this row; null: forgotten.")
    grant_key: str | None = Field(
        sa_type=Text, description="What a revocation would end: connections that share it rest on one grant."
    )
    renewal_failed_at: datetime | None = Field(
        sa_type=Moment,
        description="When the access token could last not be renewed; it is not asked for at once again.",
    )
    signed_in_at: datetime = Field(
        sa_type=Moment, sa_column_kwargs=NOW, description="When its user last gave what opens the account."
    )
    epoch: int = Field(sa_type=BigInteger, sa_column_kwargs=ZERO, description="Raised to fence off earlier runs.")
    change_seq: int = Field(sa_type=BigInteger, sa_column_kwargs=ZERO, description="The last change_seq committed.")
    full_due: bool = Field(sa_column_kwargs=FALSE, description="The next run is to be a full sync.")
    error: str | None = Field(sa_type=Text, description="For the end user: what is wrong and what to do.")
    error_code: str | None = Field(sa_type=Text)
    error_at: datetime | None = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


class SyncState(ControlTable, table=True):
    __tablename__ = "sync_state"
    __table_args__ = ({"comment": "How far each stream of a connection has come."},)

    connection_id: UUID = Field(primary_key=True, sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    stream: str = Field(primary_key=True, sa_type=Text)
    cursor: dict[str, Any] | None = Field(sa_type=JSONB, description="Where the change feed goes on.")
    available: bool = Field(sa_column_kwargs=TRUE, description="False: the credentials may not read it; rows stay.")
    unavailable_reason: str | None = Field(sa_type=Text)
    last_full_sync: datetime | None = Field(sa_type=Moment, description="When everything had last been read.")
    last_sync: datetime | None = Field(sa_type=Moment, description="When it was last known to be up to date.")
    coverage: dict[str, Any] | None = Field(
        sa_type=JSONB, description="What is left out: complete_from, backlog, and what cannot be read, with sentences."
    )
    rows: int = Field(sa_type=BigInteger, sa_column_kwargs=ZERO, description="Live rows: those without a tombstone.")


class FullRead(ControlTable, table=True):
    __tablename__ = "full_read"
    __table_args__ = (
        UniqueConstraint("connection_id", "stream"),
        CheckConstraint("phase IN ('reading', 'retiring')", name="phase"),
        {"comment": "A full read of one stream that is not finished; it may span several runs."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connection_id: UUID = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    stream: str = Field(sa_type=Text)
    start_seq: int = Field(sa_type=BigInteger, description="The connection's change_seq before the first page.")
    change_cursor: dict[str, Any] | None = Field(
        sa_type=JSONB, description="The change feed's place before the first page; the next incremental starts there."
    )
    covered: list[str] = Field(
        sa_type=Texts, sa_column_kwargs=EMPTY_ARRAY, description="Scopes, such as channels, that were read whole."
    )
    confirm_deletes: bool = Field(sa_column_kwargs=FALSE, description="A person said that absence is to be believed.")
    phase: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text("'reading'")})
    started_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


class FullReadPart(ControlTable, table=True):
    __tablename__ = "full_read_part"
    __table_args__ = (
        Index(None, "full_read_id"),
        {"comment": "A slice of a full read, with its own checkpoint."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    full_read_id: UUID = Field(sa_type=PG_UUID, foreign_key=FULL_READ, ondelete="CASCADE")
    cursor: dict[str, Any] = Field(sa_type=JSONB)
    done: bool = Field(sa_column_kwargs=FALSE)
    updated_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


# No primary key: its rows are only ever added, joined with a table, and dropped with their full read.
Seen = Table(
    "seen",
    ControlTable.metadata,
    Column("full_read_id", PG_UUID, ForeignKey(FULL_READ, ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False, comment="The connection's change_seq when the page was written."),
    Column("keys", Texts, nullable=False, comment="The page's keys whose rows were equal already."),
    Index(None, "full_read_id", "seq"),
    comment="Keys that a full read saw and found unchanged, a row per page.",
)


class ReadMark(ControlTable, table=True):
    __tablename__ = "read_mark"
    __table_args__ = (
        Index(None, "connection_id", "stream", "seq"),
        Index(None, "at"),
        {"comment": "Reads by id and deletions that changed no row; kept a day, against older pages."},
    )

    connection_id: UUID = Field(primary_key=True, sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    stream: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


class Reread(ControlTable, table=True):
    __tablename__ = "reread"
    __table_args__ = ({"comment": "Records to be read again by id: somebody else wrote them while they were read."},)

    connection_id: UUID = Field(primary_key=True, sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    stream: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    attempts: int = Field(sa_column_kwargs=ZERO)
    since: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


class RejectedRecord(ControlTable, table=True):
    __tablename__ = "rejected_record"
    __table_args__ = (
        UniqueConstraint("connection_id", "stream", "digest"),
        {"comment": "Records that could not be stored at all, as received, and why."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connection_id: UUID = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    connector: str = Field(sa_type=Text)
    stream: str = Field(sa_type=Text)
    key: str | None = Field(sa_type=Text, description="Null where the record has none.")
    reason: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=BYTEA)
    digest: bytes = Field(sa_type=BYTEA, description="SHA-256 of the body: the same junk is kept once.")
    attempts: int = Field(sa_column_kwargs=ONE)
    first_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    last_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


class SyncRun(ControlTable, table=True):
    __tablename__ = "sync_run"
    __table_args__ = (
        Index(None, "connection_id", text("started_at DESC"), text("id DESC")),
        Index("sync_run_open_idx", "connection_id", postgresql_where=text("outcome IS NULL")),
        Index("sync_run_outcome_idx", "connection_id", "outcome", "ended_at"),
        Index("sync_run_started_at_idx", text("started_at DESC"), text("id DESC")),
        Index("sync_run_ended_at_idx", "ended_at", postgresql_include=["connection_id", "outcome"]),
        Index(None, "flow_run_id"),
        CheckConstraint("mode IN ('full', 'incremental', 'webhook')", name="mode"),
        CheckConstraint("trigger IN ('schedule', 'manual', 'api', 'cli', 'webhook')", name="trigger"),
        CheckConstraint(
            "outcome IN ('done', 'continued', 'skipped', 'needs_confirmation', 'failed', 'crashed')", name="outcome"
        ),
        {"comment": "One sync of one connection: what it did and how it ended."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connection_id: UUID = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    flow_run_id: UUID | None = Field(sa_type=PG_UUID, description="Prefect's id of the flow run that did it.")
    mode: str = Field(sa_type=Text, description="full, incremental or webhook.")
    trigger: str = Field(sa_type=Text, description="schedule, manual, api, cli or webhook.")
    outcome: str | None = Field(
        sa_type=Text,
        description="Null while running; done, continued, skipped, needs_confirmation, failed or crashed.",
    )
    epoch: int = Field(sa_type=BigInteger, description="The connection's epoch that this run may write under.")
    started_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    ended_at: datetime | None = Field(sa_type=Moment)
    counts: dict[str, Any] = Field(
        sa_type=JSONB,
        sa_column_kwargs=EMPTY_OBJECT,
        description="Per stream: read, written, unchanged, deleted, rejected, altered.",
    )
    progress: dict[str, Any] | None = Field(sa_type=JSONB, description="Per stream, while it runs.")
    notes: list[Any] = Field(sa_type=JSONB, sa_column_kwargs=EMPTY_LIST, description="Sentences about this run.")
    error: str | None = Field(sa_type=Text, description="For the end user: what went wrong and what to do.")
    error_code: str | None = Field(sa_type=Text)


class ApiRequest(ControlTable, table=True):
    __tablename__ = "api_request"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "connector", "at"),
        {"comment": "One request to a provider; never its query, headers or bodies."},
    )

    id: int | None = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    connector: str = Field(sa_type=Text)
    connection_id: UUID | None = Field(sa_type=PG_UUID, description="Null while it is not yet known.")
    method: str = Field(sa_type=Text)
    route: str = Field(sa_type=Text, description="The path's template: names of values, no values.")
    status: int | None = Field(description="Null: there was no answer.")
    duration_ms: int
    error: str | None = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    waited_ms: int = Field(
        sa_column_kwargs=ZERO, description="How long it waited for the rate limit before it was sent."
    )


class RateBucket(ControlTable, table=True):
    __tablename__ = "rate_bucket"
    __table_args__ = ({"comment": "Whose turn it is at a provider's rate limit, in all processes."},)

    name: str = Field(primary_key=True, sa_type=Text)
    free_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW, description="When the next block may be asked for.")
    paused_until: datetime | None = Field(sa_type=Moment, description="The provider said to wait until then.")


class ConnectSession(ControlTable, table=True):
    __tablename__ = "connect_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("state_hash"),
        Index(None, "expires_at"),
        {"comment": "A single-use link with which a user connects an account."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    token_hash: bytes = Field(sa_type=BYTEA, description="SHA-256 of the link's secret.")
    connector: str = Field(sa_type=Text)
    user_id: str = Field(sa_type=Text)
    return_url: str | None = Field(sa_type=Text)
    connection_id: UUID | None = Field(
        sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE", description="The connection to be made anew."
    )
    expires_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    browser_hash: bytes | None = Field(sa_type=BYTEA, description="The browser that pressed the button first.")
    state_hash: bytes | None = Field(sa_type=BYTEA, description="SHA-256 of the state under way; gone when it is used.")
    verifier: str | None = Field(sa_type=Text, description="Encrypted; for the exchange of the code.")
    redirect_uri: str | None = Field(sa_type=Text)
    used_at: datetime | None = Field(sa_type=Moment)
    outcome: str | None = Field(sa_type=Text, description="connected, denied or failed; null while it is open.")
    error: str | None = Field(sa_type=Text, description="For the user: why it failed.")
    error_code: str | None = Field(sa_type=Text)
    result_connection_id: UUID | None = Field(sa_type=PG_UUID, description="The connection that came of it.")


class Action(ControlTable, table=True):
    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("connection_id", "name", "idempotency_key_hash"),
        Index(None, "created_at"),
        Index("action_unknown_idx", "created_at", postgresql_where=text("status = 'unknown'")),
        Index("action_open_idx", "sent_at", postgresql_where=text("status = 'sending'")),
        Index(
            "action_kept_idx", "ended_at", postgresql_where=text("result IS NOT NULL OR memo IS NOT NULL")
        ),  # what retention looks for among keys that are kept for ever
        CheckConstraint("status IN ('sending', 'succeeded', 'failed', 'unknown')", name="status"),
        {"comment": "One write to a provider, at most once for each idempotency key."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connection_id: UUID = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    idempotency_key_hash: bytes = Field(sa_type=BYTEA, description="SHA-256 of the key: remembered for ever.")
    fingerprint: bytes = Field(sa_type=BYTEA, description="SHA-256 of the body: the same key is for the same body.")
    status: str = Field(sa_type=Text, description="sending, succeeded, failed or unknown.")
    result: dict[str, Any] | None = Field(sa_type=JSONB)
    error: str | None = Field(sa_type=Text, description="For the end user: why it failed, or what is not known.")
    error_code: str | None = Field(sa_type=Text)
    memo: dict[str, Any] | None = Field(sa_type=JSONB, description="What finding out needs, such as a draft's id.")
    sender: str | None = Field(sa_type=Text, description="Who is sending it.")
    attempts: int = Field(sa_column_kwargs=ZERO)
    created_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    sent_at: datetime | None = Field(sa_type=Moment)
    ended_at: datetime | None = Field(sa_type=Moment)


class WebhookEvent(ControlTable, table=True):
    __tablename__ = "webhook_event"
    __table_args__ = (
        UniqueConstraint(
            "connector",
            "connection_id",
            "provider_event_id",
            name="webhook_event_key",
            postgresql_nulls_not_distinct=True,
        ),
        Index("webhook_event_due_idx", "due_at", postgresql_where=text("status = 'pending'")),
        Index("webhook_event_failed_idx", "received_at", postgresql_where=text("status = 'failed'")),
        Index("webhook_event_applied_idx", "applied_at", postgresql_where=text("status = 'applied'")),
        Index(None, "connection_id", text("received_at DESC"), text("id DESC")),
        Index(None, "received_at"),
        CheckConstraint("status IN ('pending', 'applied', 'failed', 'ignored')", name="status"),
        {"comment": "The inbox: verified deliveries, stored before they were acknowledged."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    connector: str = Field(sa_type=Text)
    connection_id: UUID | None = Field(
        sa_type=PG_UUID,
        foreign_key=CONNECTION,
        ondelete="CASCADE",
        description="Null: of no account that is connected.",
    )
    provider_event_id: str = Field(
        sa_type=Text, description="The provider's id of it, or the SHA-256 of its body where it has none."
    )
    event_type: str | None = Field(sa_type=Text)
    status: str = Field(sa_type=Text, description="pending, applied, failed or ignored.")
    attempts: int = Field(sa_column_kwargs=ZERO)
    error: str | None = Field(sa_type=Text, description="For people: why it could not be applied.")
    error_code: str | None = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    applied_at: datetime | None = Field(sa_type=Moment)
    due_at: datetime = Field(
        sa_type=Moment, sa_column_kwargs=NOW, description="When it may be taken: who takes it moves this a minute on."
    )
    said: dict[str, Any] = Field(
        sa_type=JSONB, sa_column_kwargs=EMPTY_OBJECT, description="What only headers told, as far as it is needed."
    )
    body: bytes = Field(sa_type=BYTEA, description="As received.")


class PushChannel(ControlTable, table=True):
    __tablename__ = "push_channel"
    __table_args__ = (
        Index(None, "connection_id", "subject"),
        Index(None, "expires_at"),
        CheckConstraint("state IN ('active', 'refused', 'failed', 'stopped')", name="state"),
        {"comment": "What a provider was asked to push: a channel or a watch, for each subject such as a calendar."},
    )

    id: str = Field(primary_key=True, sa_type=Text, description="The channel's id at the provider, made here.")
    connection_id: UUID = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    subject: str = Field(sa_type=Text, description="What is watched; empty: the whole account.")
    address: str = Field(sa_type=Text, description="Where the provider delivers to.")
    token_hash: bytes = Field(sa_type=BYTEA, description="SHA-256 of the secret that deliveries must bring.")
    resource_id: str | None = Field(sa_type=Text, description="The provider's own name of it, for stopping it.")
    state: str = Field(sa_type=Text, description="active, refused, failed or stopped.")
    error: str | None = Field(sa_type=Text, description="For people: why nothing is pushed.")
    expires_at: datetime | None = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    tried_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW, description="When it was last asked for.")


class Alert(ControlTable, table=True):
    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_open_key",
            "kind",
            "service",
            "connection_id",
            "subject",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "raised_at"),
        {"comment": "What somebody should look at; open until it is cleared."},
    )

    id: UUID = Field(primary_key=True, sa_type=PG_UUID, sa_column_kwargs=NEW_ID)
    kind: str = Field(sa_type=Text, description="Such as push_expiring.")
    service: str = Field(sa_type=Text, description="The connector concerned.")
    connection_id: UUID | None = Field(sa_type=PG_UUID, foreign_key=CONNECTION, ondelete="CASCADE")
    subject: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    sentence: str = Field(sa_type=Text, description="For people: what is wrong and what to do.")
    raised_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    cleared_at: datetime | None = Field(sa_type=Moment)
    told_at: datetime | None = Field(sa_type=Moment, description="When Prefect was told; null: it is still to be told.")


class Tally(ControlTable, table=True):
    __tablename__ = "tally"
    __table_args__ = ({"comment": "Counts by the hour, kept by triggers: no retention makes a total fall."},)

    hour: datetime = Field(primary_key=True, sa_type=Moment, description="-infinity: all before.")
    name: str = Field(primary_key=True, sa_type=Text, description="What is counted.")
    connector: str = Field(primary_key=True, sa_type=Text)
    labels: list[str] = Field(primary_key=True, sa_type=Texts)
    shard: int = Field(
        primary_key=True, sa_type=SmallInteger, description="So that backends do not wait for each other."
    )
    n: int = Field(sa_type=BigInteger)


class LoginLink(ControlTable, table=True):
    __tablename__ = "login_link"
    __table_args__ = ({"comment": "Links that open the status page once."},)

    token_hash: bytes = Field(primary_key=True, sa_type=BYTEA, description="SHA-256 of the link's secret.")
    expires_at: datetime = Field(sa_type=Moment)


class LoginSession(ControlTable, table=True):
    __tablename__ = "login_session"
    __table_args__ = ({"comment": "Browsers that are logged in to the status page."},)

    token_hash: bytes = Field(primary_key=True, sa_type=BYTEA, description="SHA-256 of what the cookie holds.")
    voucher: bytes = Field(
        sa_type=BYTEA, description="HMAC of the admin token at login: another token ends the session."
    )
    created_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)
    seen_at: datetime = Field(sa_type=Moment, sa_column_kwargs=NOW)


# No primary key: its rows are only ever added, counted for a minute, and dropped.
LoginTry = Table(
    "login_try",
    ControlTable.metadata,
    Column("client", Text, nullable=False, comment="The address it came from."),
    Column("at", Moment, nullable=False, server_default=text("now()")),
    Index(None, "client", "at"),
    comment="Tries to log in of the last minutes.",
)


# No primary key: its rows are only ever added, looked through for a day, and dropped.
ReadPage = Table(
    "read_page",
    ControlTable.metadata,
    Column("connection_id", PG_UUID, ForeignKey(CONNECTION, ondelete="CASCADE"), nullable=False),
    Column("stream", Text, nullable=False),
    Column("after_seq", BigInteger, nullable=False, comment="What it wrote has a change_seq above this."),
    Column("seq", BigInteger, nullable=False, comment="And up to this."),
    Column("keys", Texts, nullable=False, comment="Its keys whose rows were equal already."),
    Column("not_before", Double, comment="When the provider made it, by its own clock: no earlier."),
    Column("not_after", Double, comment="And no later."),
    Column("at", Moment, nullable=False, server_default=text("now()")),
    Index(None, "connection_id", "stream", "seq"),
    Index(None, "at"),
    comment="Pages and events that were written of late: what they found unchanged, and how old they were.",
)


def _describe_columns(table: type[ControlTable]) -> None:
    """What a field's description says, Postgres says of the column too."""
    for name, field in table.model_fields.items():
        ControlTable.metadata.tables[f"{SCHEMA}.{table.__tablename__}"].c[name].comment = field.description


for _table in ControlTable.__subclasses__():
    _describe_columns(_table)
