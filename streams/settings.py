"""The settings of a process: one frozen object, made once, passed to everything.

Each field ``name`` is read from the environment variable ``HX_NAME``, else from the key ``name`` of a TOML
file, else it has the default below. A key nobody knows is refused: a mistyped limit must not silently keep
its default.
"""

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import msgspec
from msgspec import Meta

from casework.errors import SetupError
from casework.limits import MAX_SUBMISSION_BYTES
from streams.clock import ClockFormatError, CompressedClock, SystemClock, parse_clock
from streams.fault_points import FaultPoints, FaultTextError
from streams.secret_sources import Secret
from streams.setting_rules import rule_of

_MAX_FILE_BYTES: Final = 32 * 1024
"""Ten times all settings with comments; the time for a dotted name in TOML grows with its square."""
PREFIX: Final = "HX_"
FILE_KEY: Final = "HX_SETTINGS"
# Read elsewhere: the embedded Kafka is no part of a production process.
_OTHER_KEYS: Final = frozenset({FILE_KEY, "HX_ARCHIVES", "HX_KAFKA_DIR"})
_NETWORK_KEY_BYTES: Final = 32
_NETWORK_KEY_RULE: Final = f"{_NETWORK_KEY_BYTES} bytes as {2 * _NETWORK_KEY_BYTES} hex digits"
_HEARTBEATS_PER_SESSION: Final = 3

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Positive = Annotated[int, Meta(ge=1)]
_Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="1 to 100 letters, digits, dots, dashes or underscores",
    ),
]
_Brokers = Annotated[
    str,
    Meta(
        pattern=r"^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$",
        description="host:port, several separated by commas without spaces",
    ),
]
_Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9._-]{0,60}$",
        description="at most 60 small letters, digits, dots, dashes or underscores",
    ),
]

_SecretAddress = Annotated[
    str,
    Meta(pattern=r"^(file|env|command):.+$", description="file:PATH, env:NAME or command:WORDS"),
]


class SettingsError(SetupError):
    """A setting is unknown, malformed or not allowed here; the text names key, value and rule."""


# Anybody can compute it: it protects nothing and is refused in production.
DEMO_NETWORK_KEY: Final = Secret(hashlib.sha256(b"hotline exchange demo network key").digest())


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process was told.

    Attributes:
        environment: where records may come from and go to; every record carries it.
        bootstrap: Kafka brokers, ``host:port`` separated by commas.
        kafka_security: how brokers know who connects: by password (``scram``) or client certificate, both
            over TLS 1.3; ``none`` is for tests and benchmarks and refused in production.
        kafka_ca: PEM file of the authority that signed the brokers' certificates.
        kafka_user: name to connect as; None takes that of the worker's kind, the member or the command.
        kafka_password: where its password lies: ``file:PATH``, ``env:NAME`` or ``command:WORDS``; ``{user}``
            in it stands for the name.
        kafka_certificate: PEM file with the client's key and certificate; ``{user}`` as above.
        topic_prefix: put before every topic name and consumer group, verbatim.
        partitions: P, partitions of actions and of all ``cases.*`` topics; fixed for ever.
        replication: copies of each partition.
        min_insync: copies that must confirm a write; at most ``replication``.
        metrics_host: address on which workers offer metrics and health.
        intake_metrics_port: metrics port of intake; 0 takes any free one.
        casekeeper_metrics_port: metrics port of casekeeper; 0 takes any free one.
        provision_metrics_port: metrics port of ``hx provision --watch``; 0 takes any free one.
        data_dir: local files that can be lost: stores, positions.
        directory: directory document; None is the shipped one.
        directory_trust: file with the signers whom the first directory must be signed by (see
            docs/key-ceremony.md); None takes unsigned directories, which production refuses.
        session_timeout_s: seconds until a silent worker's partitions move on, 6 to 30: brokers accept no
            less, and a request gives up after 30.
        heartbeat_s: seconds between signs of life; at most a third of the session timeout.
        commit_interval_s: seconds between commits; bounds what is repeated after a crash.
        max_poll_records: records of one poll, over all partitions.
        max_admitted_backlog: records that casekeeper may be behind before intake waits, urgent ones excepted;
            what a flood can put before everybody else (see docs/for-operators.md).
        instance_id: stable name of this worker among its group; None joins as a new member each time.
        network_key: key of the url keys, 32 bytes in hex, never printed; only where the directory carries
            none sealed to the members: production refuses it.
        keys: address of the key ring of whoever runs this process, a member or the exchange: file:PATH,
            env:NAME or command:WORDS, in which `{member}` stands for a client's member id; empty signs
            nothing.
        topic_max_bytes: largest record of any topic; above the largest submission.
        member_bytes_per_s: bytes a second that a member may send before the brokers slow it down; 0 sets no
            quota.
        member_read_bytes_per_s: bytes a second that it may read, likewise; more, as it catches up after an
            outage.
        erasure_days: days after which content is gone everywhere.
        shrink_after_days: days after the last event of a closed case until only a stub of it is kept, and no
            content.
        clock: simulated time as ORIGIN@REAL_MSxFACTOR; empty is the machine's.
        faults: faults to inject, for tests (see `streams.fault_points`); refused in production.
    """

    environment: Literal["demo", "test", "production"] = "demo"
    bootstrap: _Brokers = "127.0.0.1:9092"
    kafka_security: Literal["scram", "certificate", "none"] = "scram"
    kafka_ca: Path | None = None
    kafka_user: _Name | None = None
    kafka_password: _SecretAddress | None = None
    kafka_certificate: Path | None = None
    topic_prefix: _Prefix = ""
    partitions: _Positive = 12
    replication: _Positive = 1
    min_insync: _Positive = 1
    metrics_host: str = "127.0.0.1"
    intake_metrics_port: _Port = 9101
    casekeeper_metrics_port: _Port = 9102
    provision_metrics_port: _Port = 9103
    data_dir: Path = msgspec.field(
        default_factory=lambda: Path.home() / ".local" / "share" / "hotline-exchange"
    )
    directory: Path | None = None
    directory_trust: Path | None = None
    session_timeout_s: Annotated[float, Meta(ge=6, le=30)] = 6.0
    heartbeat_s: Annotated[float, Meta(gt=0)] = 2.0
    commit_interval_s: Annotated[float, Meta(gt=0, le=60)] = 0.5
    max_poll_records: _Positive = 4000
    max_admitted_backlog: _Positive = 10_000
    instance_id: _Name | None = None
    network_key: Secret = DEMO_NETWORK_KEY
    keys: str = ""
    topic_max_bytes: _Positive = 2 * 1024 * 1024
    member_bytes_per_s: Annotated[int, Meta(ge=0)] = 1024 * 1024
    member_read_bytes_per_s: Annotated[int, Meta(ge=0)] = 8 * 1024 * 1024
    erasure_days: Annotated[int, Meta(ge=8)] = 90
    shrink_after_days: _Positive = 90
    clock: str = ""
    faults: str = ""

    def __post_init__(self) -> None:
        self._check(
            "min_insync", self.min_insync <= self.replication, f"at most replication={self.replication}"
        )
        limit = self.session_timeout_s / _HEARTBEATS_PER_SESSION
        self._check(
            "heartbeat_s", self.heartbeat_s <= limit, f"at most a third of the session timeout, {limit:g}"
        )
        fits = self.topic_max_bytes > MAX_SUBMISSION_BYTES
        self._check("topic_max_bytes", fits, f"above the largest submission, {MAX_SUBMISSION_BYTES}")
        try:
            parse_clock(self.clock)
        except ClockFormatError as error:
            raise SettingsError(f"{PREFIX}CLOCK: {error}") from error
        try:
            FaultPoints.from_text(self.faults)
        except FaultTextError as error:
            raise SettingsError(f"{PREFIX}FAULTS: {error}") from error
        if self.environment == "production":
            self._check("clock", not self.clock, "empty: production runs on the machine's clock")
            self._check("faults", not self.faults, "empty: production injects no faults")
            self._check("kafka_security", self.kafka_security != "none", "scram or certificate in production")
            if self.network_key != DEMO_NETWORK_KEY:
                raise SettingsError(
                    f"{PREFIX}NETWORK_KEY is not taken in production: members find the key in the directory,"
                    " sealed to them, and workers have none"
                )

    @classmethod
    def load(
        cls, env: Mapping[str, str] = os.environ, file: Path | None = None, *, needs_trust: bool = True
    ) -> Self:
        """Read the settings: environment over TOML file over default.

        Args:
            env: the environment variables.
            file: TOML file with field names as keys; None takes the path in ``HX_SETTINGS``, if any.
            needs_trust: whether production must name its anchor; not where only files are read and written,
                because the anchor is made by such commands. Whatever goes to Kafka demands it in any case.

        Raises:
            SettingsError: a key is unknown, a value malformed, or a combination not allowed.
        """
        path = file or (Path(env[FILE_KEY]) if env.get(FILE_KEY) else None)
        types = {field.name: field.type for field in msgspec.structs.fields(cls)}
        values: dict[str, Any] = {}
        for name, raw in (_read_file(path) if path else {}).items():
            values[name] = _convert(f"{name} in {path}", raw, types, name, types.keys())
        for key in sorted(key for key in env if key.startswith(PREFIX) and key not in _OTHER_KEYS):
            name = key.removeprefix(PREFIX).lower()
            values[name] = _convert(key, env[key], types, name, [PREFIX + known.upper() for known in types])
        settings = cls(**values)
        return settings.with_trust() if needs_trust else settings

    def with_trust(self) -> Self:
        """These settings, where they say whom to believe the first directory from.

        Raises:
            SettingsError: production without ``directory_trust``.
        """
        if self.environment == "production" and self.directory_trust is None:
            raise SettingsError(
                f"{PREFIX}DIRECTORY_TRUST is not set: production takes signed directories only, and needs"
                " the file of their first signers"
            )
        return self

    def as_environment(self) -> dict[str, str]:
        """The variables that make ``load`` elsewhere answer the same settings, the secret included."""
        values = {field.name: getattr(self, field.name) for field in msgspec.structs.fields(self)}
        return {
            PREFIX + name.upper(): value.reveal().hex() if isinstance(value, Secret) else str(value)
            for name, value in values.items()
            if value is not None
        }

    def make_clock(self) -> SystemClock | CompressedClock:
        """The clock these settings name."""
        return parse_clock(self.clock)

    def make_fault_points(self) -> FaultPoints:
        """The faults these settings arm."""
        return FaultPoints.from_text(self.faults)

    def _check(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(self, name)!r}: expected {rule}")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
        if len(text) > _MAX_FILE_BYTES:
            raise SettingsError(f"settings file {path}: at most {_MAX_FILE_BYTES:,} bytes")
        return tomllib.loads(text.decode())
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        # Not TOML, not UTF-8, or a number of thousands of digits.
        raise SettingsError(f"settings file {path}: {error}") from error


def _convert(where: str, raw: object, types: Mapping[str, Any], name: str, known: Iterable[str]) -> object:
    if name not in types:
        close = difflib.get_close_matches(where.partition(" ")[0], list(known), n=1)
        raise SettingsError(f"{where}: unknown setting" + (f", did you mean {close[0]}?" if close else ""))
    try:
        return msgspec.convert(raw, types[name], strict=False, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        # A password that was put where its address belongs must not show either.
        shown = "****" if types[name] is Secret or name == "kafka_password" else repr(raw)
        rule = _NETWORK_KEY_RULE if types[name] is Secret else rule_of(types[name])
        raise SettingsError(f"{where}={shown}: expected {rule}") from error


def _from_text(wanted: type, raw: object) -> object:
    if wanted is Path and isinstance(raw, str) and raw:
        return Path(raw)
    if wanted is Secret and isinstance(raw, str):
        return _network_key(raw)
    raise msgspec.ValidationError(f"Expected {wanted.__name__}")


def _network_key(text: str) -> Secret:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        # From None: the cause would repeat a part of the secret.
        raise msgspec.ValidationError(_NETWORK_KEY_RULE) from None
    if len(value) != _NETWORK_KEY_BYTES:
        raise msgspec.ValidationError(_NETWORK_KEY_RULE)
    return Secret(value)
