"""Every parser of bytes that come from others, with sound inputs, and what it promises about all others.

A parser answers a value, or raises one of the errors of its contract. What it accepts keeps `holds`: above
all, no two byte strings are the same sealed content or the same directory. `MARK` stands in every sound input
wherever a member can put a text; an error that repeats it breaks the promise too.
"""

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from agents import dead_letters
from agents.judgement import Bench, GiveUp, Refuse, judge
from casework import directory as directories
from casework import messages
from casework.directory import CountryRule, Directory, HotlineShare, Member
from casework.directory_checks import check
from casework.directory_keys import NetworkKeys, SealedNetworkKey
from casework.directory_signing import read_anchor
from casework.dsse import signed_statement
from casework.errors import BadInputError, DirectoryRefusedError, HotlineExchangeError
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, signed_message
from casework.messages import Delivery, ReportContent, Submission
from casework.network_keys import sealed_for
from casework.protection import binding_of
from casework.sealed_content import parse, to_bytes
from casework.sealed_glance import Glance, glance
from casework.signatures import check_signature
from casework.urls import canonical_url
from connectors.errors import UnreadableContentError
from connectors.membership import Membership
from connectors.opening import Opener
from connectors.provenance import Record, check_record
from connectors.sealing import open_sealed, seal
from operations.directory import signed_files
from operations.directory.equipping import equip
from operations.evidence.checking import check as check_bundle
from operations.evidence.container import pack, unpack
from operations.evidence.errors import BundleRefusedError
from operations.evidence.parts import (
    FACTS,
    FORMAT,
    MANIFEST,
    MESSAGES,
    Kept,
    Manifest,
    PartEntry,
    moment,
    to_json,
)
from operations.files import FileRefusedError, Problem, prepared_lines, read_actions, read_reports
from schemas import codec
from schemas.errors import UnreadableError
from schemas.framing import schema_id_of
from schemas.registry import registry
from streams import wire
from streams.clock import ClockFormatError, ManualClock, parse_clock
from streams.directory_trust import RolledBackError, TrustMemory
from streams.directory_versions import DirectoryVersions, read_document
from streams.fault_points import FaultPoints, FaultTextError
from streams.key_rings import KeyRing, KeyRingError, Signer
from streams.secret_sources import Secret
from streams.settings import Settings, SettingsError
from streams.topics import Topics

MARK = "canary5c1e"
NOW = 1_760_000_000_000
URL = f"https://{MARK}.example/{MARK}"
MAX_INPUT = 2 * 1024 * 1024


class Parser(NamedTuple):
    """One parser of foreign bytes.

    Attributes:
        name: What it reads.
        sound: Inputs it accepts.
        read: Reads bytes.
        errors: What it may raise.
        holds: Called with bytes and what was read from them; raises AssertionError where a promise is broken.
        repeats: Whether its errors show the value: of settings, which the one who reads them has written.
    """

    name: str
    sound: tuple[bytes, ...]
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    holds: Callable[[bytes, Any], None] = lambda _data, _value: None
    repeats: bool = False

    def give(self, data: bytes) -> bool:
        """Give it bytes; answer whether it took them.

        Raises:
            AssertionError: A promise is broken; any other error is one that the parser does not document.
        """
        try:
            value = self.read(data)
        except self.errors as error:
            told, kind = f"{error} {error!r}", type(error).__name__
        else:
            self.holds(data, value)
            return True
        assert self.repeats or MARK not in told, f"{kind} repeats a value"
        return False


BARE = Directory(
    version=3,
    environment="test",
    published_at=NOW - 1000,
    valid_from=0,
    members=(
        Member("be-childfocus", "hotline", "Belgium", ("BE",), status="active"),
        Member("nl-offlimits", "hotline", "Netherlands", ("NL",), mandates=("orphans",), status="active"),
        Member("nl-police", "law_enforcement", "Police", ("NL",), status="active", liaison="nl"),
    ),
    countries=(
        CountryRule("BE", "Belgium", hotlines=(HotlineShare("be-childfocus"),), police_contact="101"),
        CountryRule("NL", "Netherlands", hotlines=(HotlineShare("nl-offlimits"),), police_contact="112"),
    ),
    pseudo_countries=(),
    slot_count=3,
    slots={"NL": (1,)},
    rest_slots=(0, 2),
    aliases={"UK": "GB", "EL": "GR"},
)
EQUIPMENT = equip(BARE, at=0)
DIRECTORY = EQUIPMENT.directory
SENDER, READER = "nl-offlimits", "be-childfocus"
KEY = b"\x01" + bytes(range(32))
TOPICS = Topics()
SIGNER = Signer(next(key for key in EQUIPMENT.rings[SENDER].keys if key.use == "sign"))
READERS = [key for member in DIRECTORY.members for key in member.keys if key.use == "seal"]
STATEMENT = messages.ReportStatement(
    event_id="0199c82a-0000-7000-8000-000000000001",
    environment="test",
    sender=SENDER,
    url_key=KEY,
    hosting_country="BE",
    sent_at=NOW,
    directory_version=3,
    occurred_at=NOW,
    received_at=NOW,
    reference=MARK,
    content_type="media",
    content_protection="jwe",
)
CONTENT = ReportContent(url=URL, note=MARK, sibling_items=(URL, URL))
CLEAR = wire.encode(CONTENT)
SEALED = seal(CLEAR, READERS, binding_of(STATEMENT))
SMALL = seal(b"x", READERS[:1], binding_of(STATEMENT))


def _submission(
    statement: messages.ReportStatement | messages.ActionStatement, content: bytes | None
) -> bytes:
    framed = wire.encode(statement)
    kind = "report" if isinstance(statement, messages.ReportStatement) else "action"
    signature = SIGNER.sign(signed_statement(kind, framed))
    return wire.encode(
        Submission(statement=framed, signature=signature, key_id=SIGNER.key_id, content=content)
    )


SOUND_STATEMENT = msgspec.structs.replace(STATEMENT, content_digest=SEALED.digest)
ACTION = messages.ActionStatement(
    event_id="0199c82a-0000-7000-8000-000000000002",
    environment="test",
    sender=SENDER,
    url_key=KEY,
    hosting_country="BE",
    sent_at=NOW,
    directory_version=3,
    occurred_at=NOW,
    action="acknowledged",
    case_id="0199c82a-0000-7000-8000-000000000003",
    reference=MARK,
)
SUBMISSIONS = (_submission(SOUND_STATEMENT, to_bytes(SEALED)), _submission(ACTION, None))
STATEMENTS = tuple(wire.decode_as(Submission, one).statement for one in SUBMISSIONS)
DELIVERY = Delivery(
    case_id="c",
    url_key=KEY,
    recipient=READER,
    number=1,
    kind="assignment",
    delivery_id="d",
    environment="test",
    is_urgent=False,
    round=1,
    leg=1,
    state="assigned",
    fact="opened",
    fact_number=1,
    by=SENDER,
    occurred_at=1,
    admitted_at=2,
    submitted_at=3,
    hosting_country="BE",
    report_event_id=STATEMENT.event_id,
    statement=STATEMENTS[0],
    signature=wire.decode_as(Submission, SUBMISSIONS[0]).signature,
    key_id=SIGNER.key_id,
    content=to_bytes(SEALED),
)
GOLDEN = Path(__file__).parents[1] / "schemas" / "golden"


@cache
def golden() -> tuple[bytes, ...]:
    """Answer the golden records of all locked versions."""
    return tuple(path.read_bytes() for path in sorted(GOLDEN.glob("*.bin")))


def _judge(topic: str) -> Callable[[bytes], object]:
    bench = Bench(DIRECTORY, "test", NOW, TOPICS)
    slot = DIRECTORY.slot("BE", KEY)

    def read(data: bytes) -> object:
        record = SimpleNamespace(
            key=KEY, value=data, timestamp=NOW, topic=topic, partition=slot, offset=1, headers=()
        )
        return judge(record, bench)

    return read


def _verdict_holds(data: bytes, verdict: object) -> None:
    if isinstance(verdict, GiveUp):
        assert MARK not in repr(verdict.failure)
    elif isinstance(verdict, Refuse):
        receipt = verdict.receipt
        assert (
            MARK not in f"{receipt.rule} {receipt.field} {receipt.message} {verdict.country} {verdict.rule}"
        )
    else:
        found = wire.decode_as(Submission, data)
        assert found.statement in STATEMENTS, "a statement that nobody signed was admitted"


def _sealed_holds(data: bytes, sealed: Any) -> None:  # noqa: ANN401 - sealed content
    assert to_bytes(sealed) == data


def _glance(data: bytes) -> Glance:
    """Read sealed content by the pattern; what it takes, the parser takes and sees alike."""
    try:
        sealed = parse(data)
    except BadInputError:
        sealed = None
    try:
        seen = glance(data)
    except BadInputError:
        assert sealed is None
        raise
    assert sealed is not None
    assert seen == Glance(sealed.key_ids, sealed.digest, sealed.aad)
    return seen


def _open(data: bytes) -> bytes:
    return open_sealed(parse(data), EQUIPMENT.rings[READER], binding_of(STATEMENT))


def _opened_holds(data: bytes, clear: bytes) -> None:
    known = {SEALED.digest: CLEAR, SMALL.digest: b"x"}
    assert known[parse(data).digest] == clear


SIGNED = STATEMENTS[0]
SIGNATURE = SIGNER.sign(signed_statement("report", SIGNED))


def _signature(data: bytes) -> bool:
    signature, key_id, statement = data[:64], data[64:107], data[107:]
    violation = check_signature(
        DIRECTORY,
        SENDER,
        message=signed_statement("report", statement),
        signature=signature,
        key_id=key_id.decode("ascii", "replace"),
        signed_at=NOW,
    )
    assert violation is None or MARK not in str(violation)
    return violation is None


def _signature_holds(data: bytes, proven: bool) -> None:
    assert not proven or data[107:] == SIGNED


def _directory_holds(data: bytes, directory: Directory) -> None:
    # A document of an older version lacks the newest fields: it is canonical as what it says itself.
    said = msgspec.json.decode(data)
    assert msgspec.json.encode(said, order="sorted") == data
    _says_all(msgspec.json.decode(directories.to_bytes(directory)), said)
    check(directory)


def _says_all(whole: Any, said: Any) -> None:  # noqa: ANN401 - any JSON
    """Hold what a document says against the whole of what was read; fields at their default may be absent."""
    if isinstance(said, dict):
        for name, value in said.items():
            _says_all(whole[name], value)
    elif isinstance(said, list):
        for one, other in zip(whole, said, strict=True):
            _says_all(one, other)
    else:
        assert whole == said


def _document_holds(_data: bytes, read: Any) -> None:  # noqa: ANN401 - document and directory
    _directory_holds(read[0].document, read[1])


def _take(data: bytes) -> object:
    versions = DirectoryVersions("test", ManualClock(NOW), EQUIPMENT.anchor)
    return versions.take(SimpleNamespace(value=data, offset=1, timestamp=NOW))


def _taken_holds(data: bytes, directory: Directory | None) -> None:
    assert directory is None or directory == DIRECTORY
    assert data is not None


HOME = Path(tempfile.mkdtemp(prefix="hx-hostile-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


def _in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def through_file(data: bytes) -> object:
        path = HOME / name
        path.write_bytes(data)
        return read(path)

    return through_file


def _lines(read: Callable[[Path], Iterable[Any]]) -> Callable[[Path], object]:
    client = Membership(
        member=SENDER,
        environment="test",
        network_key=EQUIPMENT.network_key,
        kafka={},
        keys=EQUIPMENT.rings[SENDER],
    )
    counter = iter(range(1 << 60))

    def prepare(draft: Any) -> Any:  # noqa: ANN401 - a draft
        return client.prepare(
            draft, DIRECTORY, ManualClock(NOW), lambda _ms: f"0199c82a-0000-7000-8000-{next(counter):012x}"
        )

    def through(path: Path) -> object:
        return list(prepared_lines(read(path), prepare))

    return through


def _lines_hold(_data: bytes, found: Any) -> None:  # noqa: ANN401 - lines and problems
    for item in found:
        assert not isinstance(item, Problem) or MARK not in f"{item.violation}", "a problem repeats a value"


def _headers(data: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """Answer hostile headers: names and values between line ends; an empty value is none at all."""
    found = []
    for line in data.split(b"\n", 100_000):
        name, _, value = line.partition(b"=")
        found.append((name.decode("utf-8", "replace"), value or None))
    return tuple(found)


def _letter_headers(data: bytes) -> object:
    headers = _headers(data)
    attempts = dead_letters.attempts_before(headers)
    assert 0 <= attempts <= 1_000_000
    with suppress(msgspec.ValidationError):
        dead_letters.original_headers(headers)
    with suppress(msgspec.ValidationError):
        dead_letters.replayed_headers(headers)
    return dead_letters.from_headers(headers)


PROVENANCE = dead_letters.DeadLetterHeaders(
    topic="reports.submitted",
    partition=1,
    offset=2,
    timestamp=3,
    error_class="unreadable",
    rule="r",
    field="f",
    message="m",
    software_version="1",
    group="g",
    attempts=1,
    failed_at=4,
)
LETTER = b"\n".join(
    name.encode() + b"=" + value
    for name, value in (("x", b"y"), ("hx-attempts", b"2"), *dead_letters.to_headers(PROVENANCE))
)
MESSAGE = wire.encode(DELIVERY)
_EXCHANGE = Signer(next(iter(EQUIPMENT.exchange.keys)))
EXCHANGE_HEADERS = (
    SIGNATURE_HEADER.encode()
    + b"="
    + _EXCHANGE.sign(signed_message("inbox.x", MESSAGE)).hex().encode()
    + b"\n"
    + KEY_ID_HEADER.encode()
    + b"="
    + _EXCHANGE.key_id.encode()
)


def _provenance(data: bytes) -> bool:
    headers = []
    for name, value in _headers(data):
        raw = value or b""
        with suppress(ValueError):
            raw = bytes.fromhex(raw.decode()) if name == SIGNATURE_HEADER else raw
        headers.append((name, raw))
    record = Record("inbox.x", 0, 1, NOW, MESSAGE, tuple(headers))
    return check_record(DIRECTORY, "", record) is None


def _provenance_holds(data: bytes, proven: bool) -> None:
    names = [name for name, _ in _headers(data)]
    assert not proven or (names.count(SIGNATURE_HEADER), names.count(KEY_ID_HEADER)) == (1, 1)


def _open_delivery(data: bytes) -> object:
    return Opener(EQUIPMENT.rings[READER], None, lambda: DIRECTORY).open(wire.decode_as(Delivery, data))


def _prefix_agrees(data: bytes, prefix: Any) -> None:  # noqa: ANN401 - a prefix
    with suppress(UnreadableError):
        whole = wire.decode(data)
        for field in codec.PREFIX_FIELDS:
            assert getattr(prefix, field) == getattr(whole, field)


def _wire_holds(data: bytes, value: Any) -> None:  # noqa: ANN401 - a message
    if schema_id_of(data) == registry().latest(wire.SCHEMA_NAMES[type(value)]).id:
        assert wire.decode(wire.encode(value)) == value


ADMITTED = messages.Admitted(
    url_key=KEY,
    kind="report",
    event_id=STATEMENT.event_id,
    environment="test",
    sender=SENDER,
    hosting_country="BE",
    admitted_at=NOW,
    submitted_at=NOW,
    directory_version=3,
    rules_version=1,
    source_topic="reports.submitted",
    source_partition=1,
    source_offset=2,
    submission=SUBMISSIONS[0],
)
RING = EQUIPMENT.rings[READER].to_key_set().reveal()
NETWORK = DIRECTORY.network_keys or NetworkKeys(1, ())


def _network_part(data: bytes) -> object:
    keys = NetworkKeys(1, (SealedNetworkKey(1, (data.decode("utf-8", "replace"),)),))
    return sealed_for(keys, "test", 1, {key.id for key in READERS})


TOML = b'environment = "demo"\nbootstrap = "127.0.0.1:9092"\npartitions = 12\nheartbeat_s = 2.0\nclock = ""\n'
CSV = (
    f'url,hosting_country,received_at,reference,content_type,sibling_items,note\n"{URL}",BE,2026-11-01T10:00:00Z,'
    f'{MARK},media,{URL} {URL},"{MARK}"\n'
).encode()
JSONL = (
    f'{{"url":"{URL}","hosting_country":"BE","received_at":"2026-11-01T10:00:00Z","reference":"{MARK}",'
    f'"content_type":"media","sibling_items":["{URL}"],"note":"{MARK}"}}\n'
).encode()
ACTIONS = (
    f'{{"action":"acknowledged","hosting_country":"BE","case_id":"{ACTION.case_id}","url_key":"{KEY.hex()}",'
    f'"reference":"{MARK}"}}\n'
).encode()
ANCHOR = msgspec.json.encode(EQUIPMENT.anchor)


def _signed_file() -> bytes:
    path = HOME / "sound.json"
    if not path.exists():
        signed_files.save(path, EQUIPMENT.signed(), is_new=True)
    return path.read_bytes()


def _rebuilt_ring(data: bytes) -> KeyRing:
    return KeyRing.from_key_set(Secret(data), "keys")


def _ring_holds(_data: bytes, ring: KeyRing) -> None:
    for key in ring.keys:
        assert MARK not in repr(key)
        assert key.id == key.entry(0).id


def _bundle(facts: bytes, messages_part: bytes) -> bytes:
    """Answer an evidence bundle whose manifest lists these parts rightly, whatever is in them."""
    parts = {FACTS: facts, MESSAGES: messages_part}
    entries = {name: PartEntry(hashlib.sha256(part).hexdigest(), len(part)) for name, part in parts.items()}
    manifest = Manifest(
        FORMAT,
        ACTION.case_id or "",
        KEY.hex(),
        "test",
        "exchange",
        NOW,
        moment(NOW),
        SENDER,
        "1",
        (),
        entries,
    )
    return pack({MANIFEST: to_json(manifest), **parts})


def _unpacked_holds(data: bytes, parts: Any) -> None:  # noqa: ANN401 - parts by name
    assert pack(parts) == data


FACT = next(path.read_bytes() for path in [GOLDEN / "case_event.v2.full.bin"])
RECORDS = to_json((Kept("cases.events", 0, 1, NOW, FACT), Kept("inbox.x", 0, 2, NOW, MESSAGE)))
_BINARY = (UnreadableError,)
PARSERS = (
    Parser("framing", golden(), schema_id_of, _BINARY),
    Parser("messages, compiled", golden(), wire.decode, _BINARY, _wire_holds),
    Parser("messages, fastavro", golden(), codec.decode, _BINARY),
    Parser("prefix, compiled", STATEMENTS, wire.prefix_of, _BINARY, _prefix_agrees),
    Parser("prefix, fastavro", STATEMENTS, codec.decode_prefix, _BINARY),
    Parser("admitted events", (wire.encode(ADMITTED),), wire.decode_event, _BINARY),
    Parser("intake, reports", SUBMISSIONS, _judge(TOPICS.reports_submitted), (), _verdict_holds),
    Parser("intake, actions", SUBMISSIONS, _judge(TOPICS.actions_submitted), (), _verdict_holds),
    Parser("sealed content at a glance", (to_bytes(SEALED), to_bytes(SMALL)), _glance, (BadInputError,)),
    Parser("sealed content", (to_bytes(SEALED), to_bytes(SMALL)), parse, (BadInputError,), _sealed_holds),
    Parser(
        "opening",
        (to_bytes(SEALED), to_bytes(SMALL)),
        _open,
        (BadInputError, UnreadableContentError),
        _opened_holds,
    ),
    Parser(
        "signatures",
        (SIGNATURE + SIGNER.key_id.encode() + SIGNED, bytes(64) + READERS[0].id.encode() + SIGNED),
        _signature,
        (),
        _signature_holds,
    ),
    Parser("message headers", (EXCHANGE_HEADERS,), _provenance, (), _provenance_holds),
    Parser("dead-letter headers", (LETTER,), _letter_headers, (msgspec.ValidationError,)),
    Parser("deliveries", (MESSAGE,), _open_delivery, (UnreadableError, BadInputError, HotlineExchangeError)),
    Parser(
        "directory",
        (directories.to_bytes(DIRECTORY),),
        directories.from_bytes,
        (DirectoryRefusedError,),
        _directory_holds,
    ),
    Parser(
        "directory records",
        (wire.encode(EQUIPMENT.signed()),),
        lambda data: read_document(data, "test"),
        (UnreadableError, DirectoryRefusedError),
        _document_holds,
    ),
    Parser("directory topic", (wire.encode(EQUIPMENT.signed()),), _take, (), _taken_holds),
    Parser(
        "signed directory file",
        (_signed_file(),),
        _in_file("signed.json", signed_files.load),
        (DirectoryRefusedError,),
    ),
    Parser("evidence bundle", (_bundle(RECORDS, RECORDS),), unpack, (BundleRefusedError,), _unpacked_holds),
    Parser("evidence, facts", (RECORDS,), lambda data: check_bundle(_bundle(data, b"[]\n")), ()),
    Parser("evidence, messages", (RECORDS,), lambda data: check_bundle(_bundle(b"[]\n", data)), ()),
    Parser("trust anchor", (ANCHOR,), read_anchor, (DirectoryRefusedError,)),
    Parser(
        "trust memory",
        (b'{"version":3,"digest":"00"}',),
        _in_file("memory.json", lambda path: TrustMemory(path).note(None)),
        (RolledBackError,),
    ),
    Parser("key set", (RING,), _rebuilt_ring, (KeyRingError,), _ring_holds),
    Parser(
        "network key", tuple(part.encode() for part in NETWORK.parts_of(1)), _network_part, (BadInputError,)
    ),
    Parser(
        "reports, CSV",
        (CSV,),
        _in_file("reports.csv", _lines(read_reports)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "reports, JSON lines",
        (JSONL,),
        _in_file("reports.jsonl", _lines(read_reports)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "actions, JSON lines",
        (ACTIONS,),
        _in_file("actions.jsonl", _lines(read_actions)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "addresses",
        (URL.encode(),),
        lambda data: canonical_url(data.decode("utf-8", "surrogateescape")),
        (BadInputError,),
    ),
    Parser(
        "settings",
        (TOML,),
        _in_file("settings.toml", lambda path: Settings.load({}, path)),
        (SettingsError,),
        repeats=True,
    ),
    Parser(
        "clocks",
        (b"2022-01-03T00:00:00Z@1700000000000x600",),
        lambda data: parse_clock(data.decode("utf-8", "surrogateescape")),
        (ClockFormatError,),
        repeats=True,
    ),
    Parser(
        "fault texts",
        (b"seed:7;casekeeper.after_effects:kill@3", b"seed:1"),
        lambda data: FaultPoints.from_text(data.decode("utf-8", "surrogateescape")),
        (FaultTextError,),
        repeats=True,
    ),
)
