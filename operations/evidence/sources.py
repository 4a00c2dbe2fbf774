"""Finds the evidence of a case: in the topics of the exchange, or in what one member or liaison was sent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from agents.kept_contents import submission_at
from casework.errors import BadInputError, RuleViolation
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER
from casework.limits import URL_KEY_BYTES
from casework.messages import CaseContent, Delivery, DirectoryDocument, Escalation, Fact, Receipt, Submission
from operations.evidence.directories import Versions
from operations.evidence.errors import NoEvidenceError
from operations.evidence.material import Material
from operations.evidence.parts import Kept
from operations.logs import Log
from operations.reading import Record
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

SHORTEST_PREFIX: Final = 8
"""Characters of an id that are enough to look for it."""
_ERASED: Final = "erased; digest and signature stay provable"
_GONE: Final = "neither content nor its erasure is there any more"

Answer = Delivery | Receipt | Escalation


class AmbiguousCaseError(BadInputError):
    """Several cases have an id with this beginning."""


def from_exchange(
    log: Log,
    topics: Topics,
    wanted: str,
    inbox_of: Iterable[str] = (),
    *,
    published: Iterable[DirectoryDocument],
) -> Material:
    """Answer all facts of a case, with the contents that the exchange still keeps.

    Args:
        log: The logs.
        topics: Names of the topics.
        wanted: Case id, event id of a report or an input of the case, or how one begins.
        inbox_of: Topics of a member whose messages about the case are added.
        published: The directories that are believed.

    Raises:
        NoEvidenceError: There is no such case.
        AmbiguousCaseError: There are several.
    """
    case_id, url_key, partition = _find(log, topics, wanted)
    facts: dict[tuple[int, bytes], tuple[Record, Fact]] = {}
    for record in log.part(topics.cases_events, partition):
        fact = _message(record, Fact)
        if fact is not None and (fact.case_id, fact.url_key) == (case_id, url_key):
            # After a crash a fact may lie there twice, with the same bytes.
            facts.setdefault((fact.number, record.value or b""), (record, fact))
    contents, reasons = _stored(log, topics, partition, url_key)
    told = _messages(log, inbox_of, case_id, url_key)
    environment = next(iter(facts.values()))[1].environment
    for event_id in {fact.report_event_id for _, fact in facts.values() if fact.report_event_id is not None}:
        if event_id not in contents:
            reasons.setdefault(event_id, _GONE)
    return Material(
        source="exchange",
        case_id=case_id,
        url_key=url_key,
        environment=environment,
        facts=tuple(_kept(record, topics) for record, _ in facts.values()),
        messages=tuple(_kept(record, topics) for record, _ in told),
        contents=_together(contents, _delivered(answer for _, answer in told)),
        versions=Versions.of(published),
        reasons=reasons,
    )


def from_inbox(
    log: Log,
    topics: Topics,
    wanted: str,
    inbox_of: Iterable[str],
    *,
    published: Iterable[DirectoryDocument],
) -> Material:
    """Answer what a member or a liaison was sent about a case.

    Args:
        log: The logs.
        topics: Names of the topics.
        wanted: Case id or event id of a report, or how one begins.
        inbox_of: Its topics.
        published: The directories that are believed.

    Raises:
        NoEvidenceError: No message is about such a case.
        AmbiguousCaseError: Several cases are meant.
    """
    names = tuple(inbox_of)
    exact: set[tuple[bytes, str]] = set()
    similar: set[tuple[bytes, str]] = set()
    for _, answer in _answers(log, names):
        for identifier in _ids(answer):
            if identifier == wanted and answer.url_key is not None:
                exact.add((answer.url_key, answer.case_id or ""))
            elif identifier.startswith(wanted) and answer.url_key is not None:
                similar.add((answer.url_key, answer.case_id or ""))
    url_key, case_id = _only(exact or similar)
    if not case_id:
        cases = {one.case_id for _, one in _answers(log, names) if one.url_key == url_key and one.case_id}
        case_id = max(cases) if len(cases) == 1 else ""
    told = _messages(log, names, case_id, url_key)
    return Material(
        source="inbox",
        case_id=case_id,
        url_key=url_key,
        environment=told[0][1].environment,
        facts=(),
        messages=tuple(_kept(record, topics) for record, _ in told),
        contents=_delivered(answer for _, answer in told),
        versions=Versions.of(published),
        reasons={},
    )


def topics_of(topics: Topics, member: str, liaison: str | None) -> tuple[str, ...]:
    """Answer the topics that a member reads; `liaison` is its code where it is police."""
    mine = (topics.inbox(member), topics.inbox_urgent(member), topics.feed(member))
    return mine if liaison is None else (*mine, topics.escalations(liaison))


def _find(log: Log, topics: Topics, wanted: str) -> tuple[str, bytes, int]:
    exact: set[tuple[bytes, str]] = set()
    similar: set[tuple[bytes, str]] = set()
    where: dict[bytes, int] = {}
    for record in log.whole(topics.cases_events):
        fact = _message(record, Fact)
        if fact is None:
            continue
        for identifier in (fact.case_id, fact.report_event_id, fact.input_id):
            if identifier is not None and identifier.startswith(wanted):
                where[fact.url_key] = record.partition
                (exact if identifier == wanted else similar).add((fact.url_key, fact.case_id))
    url_key, case_id = _only(exact or similar)
    return case_id, url_key, where[url_key]


def _only(found: set[tuple[bytes, str]]) -> tuple[bytes, str]:
    named = {key: case for key, case in found if case}
    cases = {(key, case) for key, case in found if case or key not in named}
    if not cases:
        raise NoEvidenceError("there is no evidence of this case here")
    if len(cases) > 1:
        raise AmbiguousCaseError(RuleViolation("case", "ambiguous", "the id of one case; several begin so"))
    return cases.pop()


def _stored(
    log: Log, topics: Topics, partition: int, url_key: bytes
) -> tuple[dict[str, tuple[bytes, ...]], dict[str, str]]:
    contents: dict[str, tuple[bytes, ...]] = {}
    reasons: dict[str, str] = {}
    for record in log.part(topics.cases_contents, partition):
        key = record.key or b""
        if key[:URL_KEY_BYTES] != url_key:
            continue
        event_id = key[URL_KEY_BYTES:].decode("ascii", "replace")
        contents.pop(event_id, None)
        if record.value is None:
            reasons[event_id] = _ERASED
            continue
        reasons.pop(event_id, None)
        stored = _message(record, CaseContent)
        if stored is None:
            continue
        submission = submission_at(stored)
        if submission.content is not None:
            contents[event_id] = (submission.content,)
    return contents, reasons


def _messages(log: Log, names: Iterable[str], case_id: str, url_key: bytes) -> list[tuple[Record, Answer]]:
    found: dict[tuple[str, bytes], tuple[Record, Answer]] = {}
    for record, answer in _answers(log, tuple(names)):
        if answer.url_key == url_key and answer.case_id in {None, case_id}:
            found.setdefault((record.topic, record.value or b""), (record, answer))
    return sorted(
        found.values(), key=lambda each: (each[0].timestamp, each[0].topic, each[0].partition, each[0].offset)
    )


def _answers(log: Log, names: tuple[str, ...]) -> Iterator[tuple[Record, Answer]]:
    there = log.topics()
    for record in log.whole(*(name for name in names if name in there)):
        try:
            message = None if record.value is None else wire.decode(record.value)
        except UnreadableError:
            continue
        if isinstance(message, Delivery | Receipt | Escalation):
            yield record, message


def _ids(answer: Answer) -> Iterator[str]:
    if answer.case_id is not None:
        yield answer.case_id
    event_id = answer.report_event_id if isinstance(answer, Delivery) else answer.event_id
    if event_id is not None:
        yield event_id


def _delivered(answers: Iterable[Answer]) -> dict[str, tuple[bytes, ...]]:
    found: defaultdict[str, dict[bytes, None]] = defaultdict(dict)
    for answer in answers:
        if isinstance(answer, Receipt) or answer.content is None or answer.statement is None:
            continue
        try:
            statement = wire.statement_of(Submission(statement=answer.statement))
        except UnreadableError:
            continue
        found[statement.event_id][answer.content] = None
    return {event_id: tuple(contents) for event_id, contents in found.items()}


def _together(
    some: dict[str, tuple[bytes, ...]], others: dict[str, tuple[bytes, ...]]
) -> dict[str, tuple[bytes, ...]]:
    return {
        event_id: (*others.get(event_id, ()), *some.get(event_id, ()))
        for event_id in some.keys() | others.keys()
    }


def _kept(record: Record, topics: Topics) -> Kept:
    headers = dict(record.headers)
    key_id = headers.get(KEY_ID_HEADER)
    return Kept(
        topic=record.topic.removeprefix(topics.prefix),
        partition=record.partition,
        offset=record.offset,
        appended_at=record.timestamp,
        value=record.value or b"",
        signature=headers.get(SIGNATURE_HEADER),
        key_id=None if key_id is None else key_id.decode("ascii", "replace"),
    )


def _message(record: Record, kind: type[Any]) -> Any:  # noqa: ANN401 - a message of `kind`, or None
    try:
        return None if record.value is None else wire.decode_as(kind, record.value)
    except UnreadableError:
        return None
