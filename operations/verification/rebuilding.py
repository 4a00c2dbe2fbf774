"""Messages from facts alone: the event that a fact was decided on, as far as messages depend on it.

A message depends on its event only by the report that the event brings. A report fact carries the signed
statement, and the store of contents the rest, so the event can be put together again.
"""

from collections.abc import Iterable
from typing import Final

from agents.kept_contents import content_key
from casework.events import Event, ReportEvent, WakeUp
from casework.messages import Admitted, Fact, ReportStatement, Submission
from operations.verification.contents import Contents
from streams import wire

REPORT_FACTS: Final = frozenset({"opened", "linked", "reopened"})


def event_of(fact: Fact, together: Iterable[Fact], contents: Contents, url_key: bytes) -> Event:
    """Answer the event of a fact.

    Args:
        fact: The fact.
        together: All facts of the same admitted record.
        contents: Contents of the partition.
        url_key: Key of the case.
    """
    for other in together:
        if other.fact in REPORT_FACTS and other.statement is not None:
            whole = contents.submission(content_key(url_key, other.input_id))
            submission = whole or Submission(
                statement=other.statement, signature=other.signature, key_id=other.key_id
            )
            statement = wire.decode_as(ReportStatement, other.statement)
            return ReportEvent(_admitted(other, "report"), submission, statement)
    return WakeUp(_admitted(fact, "wakeup"))


def _admitted(fact: Fact, kind: str) -> Admitted:
    return Admitted(
        url_key=fact.url_key,
        kind=kind,
        event_id=fact.input_id,
        environment=fact.environment,
        sender=fact.by,
        hosting_country=fact.hosting_country or "",
        admitted_at=fact.admitted_at,
        submitted_at=fact.submitted_at,
        directory_version=fact.directory_version,
        rules_version=fact.rules_version,
        source_topic="",
        source_partition=0,
        source_offset=0,
    )
