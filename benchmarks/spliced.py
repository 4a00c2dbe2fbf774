"""Reports, states and contents by the hundred thousand: made once by the rules, then copied with other keys.

What the exchange would write itself is made for each hosting country by the real code; a copy has an event
id, a url key, an address and digests of its own, put in place of the template's in the encoded bytes. All
have the same length, so the bytes stay sound.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from agents.kept_contents import content_key
from benchmarks.submissions import HOSTING_COUNTRIES, ORIGIN
from casework.casekeeping import RULES_VERSION, keep
from casework.directory import Directory
from casework.errors import BugError
from casework.events import ReportEvent, Source
from casework.ids import RANDOM_BYTES, id_bytes, new_event_id
from casework.limits import URL_KEY_BYTES
from casework.messages import Admitted, ReportStatement
from casework.submissions import Admission
from connectors.drafts import ReportDraft
from connectors.preparing import Prepared, Sender, build_report
from streams import wire
from streams.settings import Settings
from streams.slots import partition_of, slot_of

_ADDRESS_DIGITS: Final = 20
_FIRST: Final = 0
"""Source offset of a case here: that of the wake-up which begins each partition of cases.admitted."""


class Report(NamedTuple):
    """A submission: where it goes, and what it is."""

    event_id: str
    url_key: bytes
    country: str
    value: bytes


class _Template(NamedTuple):
    event_id: bytes
    url_key: bytes
    address: bytes
    digest: bytes
    case_id: bytes
    content: bytes
    report: bytes
    status: bytes
    kept_content: bytes


class Splicer:
    """Makes numbered reports, and the cases they open; the same number has the same url key everywhere.

    Args:
        settings: Environment, network key, partitions.
        directory: Who is responsible.
        now_ms: When all this happens; milliseconds since the epoch, UTC.
        origin: Member that reports.
        urgency: Codes of urgency of each report.
        salt: Others give other url keys.
    """

    def __init__(  # noqa: PLR0913 - keyword-only choices
        self,
        settings: Settings,
        directory: Directory,
        now_ms: int,
        *,
        origin: str = ORIGIN,
        urgency: tuple[str, ...] = (),
        salt: bytes = b"",
    ) -> None:
        self._now = now_ms
        self._environment, self._directory_version = settings.environment, directory.version
        self._salt = salt
        self._origin = origin
        self._partitions = settings.partitions
        self._slots, self._rest = directory.slots, directory.rest_slots
        sender = Sender(
            member=origin,
            environment=settings.environment,
            network_key=settings.network_key,
            new_id=lambda at: new_event_id(at, os.urandom(RANDOM_BYTES)),
        )
        admission = Admission(directory, settings.environment, now_ms, now_ms, 0)
        self._templates = [_template(c, urgency, sender, admission) for c in HOSTING_COUNTRIES]

    def report(self, number: int) -> Report:
        """The report of a number."""
        template, url_key, event_id, _ = self._own(number)
        address = b"%0*d" % (_ADDRESS_DIGITS, number)
        content = template.content.replace(template.address, address)
        value = (
            template.report.replace(template.address, address)
            .replace(template.digest, hashlib.sha256(content).digest())
            .replace(template.event_id, event_id.encode())
            .replace(template.url_key, url_key)
        )
        return Report(event_id, url_key, self._country(number), value)

    def slot(self, report: Report) -> int:
        """The partition of a report in the submission topics."""
        return slot_of(report.country, report.url_key, self._slots, self._rest)

    def placed_reports(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """Slot, key and value of reports."""
        for number in numbers:
            report = self.report(number)
            yield self.slot(report), report.url_key, report.value

    def placed_states(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """Partition, key and value of the open cases of reports."""
        for number in numbers:
            template, url_key, event_id, case_id = self._own(number)
            value = (
                template.status.replace(template.case_id, case_id)
                .replace(template.event_id, event_id.encode())
                .replace(id_bytes(template.event_id.decode()), id_bytes(event_id))
                .replace(template.url_key, url_key)
            )
            yield partition_of(url_key, self._partitions), url_key, value

    def placed_beginnings(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Partition, key and value of the records that the cases were decided on: wake-ups of no case."""
        for partition in range(self._partitions):
            key = bytes([partition]) * URL_KEY_BYTES
            wakeup = Admitted(
                url_key=key,
                kind="wakeup",
                event_id=new_event_id(self._now, key[:RANDOM_BYTES]),
                environment=self._environment,
                sender="",
                hosting_country="",
                admitted_at=self._now,
                submitted_at=self._now,
                directory_version=self._directory_version,
                rules_version=RULES_VERSION,
                source_topic="",
                source_partition=partition,
                source_offset=0,
                due_at=self._now,
                step="acknowledge",
            )
            yield partition, key, wire.encode(wakeup)

    def placed_contents(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """Partition, key and value of what casekeeper keeps of reports."""
        for number in numbers:
            template, url_key, event_id, case_id = self._own(number)
            value = (
                template.kept_content.replace(template.case_id, case_id)
                .replace(template.event_id, event_id.encode())
                .replace(template.url_key, url_key)
            )
            yield partition_of(url_key, self._partitions), content_key(url_key, event_id), value

    def _own(self, number: int) -> tuple[_Template, bytes, str, bytes]:
        token = hashlib.sha256(b"%b %d" % (self._salt, number)).digest()
        template = self._templates[number % len(self._templates)]
        other = hashlib.sha256(token + self._origin.encode()).digest()
        event_id = new_event_id(self._now, other[:RANDOM_BYTES])
        case_id = new_event_id(self._now, token[-RANDOM_BYTES:]).replace("-7", "-8", 1)
        return template, template.url_key[:1] + token, event_id, case_id.encode()

    def _country(self, number: int) -> str:
        return HOSTING_COUNTRIES[number % len(HOSTING_COUNTRIES)]


def _template(country: str, urgency: tuple[str, ...], sender: Sender, admission: Admission) -> _Template:
    now = admission.admitted_at
    draft = ReportDraft(
        url=f"https://host.example/page/{'7' * _ADDRESS_DIGITS}",
        hosting_country=country,
        received_at=now - 60_000,
        reference="bench-reference",
        content_type="media",
        site_type="image_host",
        classification="baseline",
        assessed_at=now - 30_000,
        law_country="IE",
        urgency=urgency,
    )
    prepared = build_report(draft, sender, admission)
    event = _event(prepared, sender, admission)
    kept = keep(None, event, admission.directory, Source("", 0, _FIRST))
    if kept.case is None or event.submission.content is None or event.statement.content_digest is None:
        raise BugError("a report with content opens a case")
    return _Template(
        event_id=prepared.event_id.encode(),
        url_key=prepared.url_key,
        address=b"7" * _ADDRESS_DIGITS,
        digest=event.statement.content_digest,
        case_id=kept.case.case_id.encode(),
        content=event.submission.content,
        report=prepared.value,
        status=wire.encode(kept.case),
        kept_content=wire.encode(kept.contents[0]),
    )


def _event(prepared: Prepared, sender: Sender, admission: Admission) -> ReportEvent:
    statement = prepared.statement
    if not isinstance(statement, ReportStatement):
        raise BugError("a report has the statement of a report")
    admitted = Admitted(
        url_key=prepared.url_key,
        kind="report",
        event_id=prepared.event_id,
        environment=sender.environment,
        sender=sender.member,
        hosting_country=prepared.hosting_country,
        admitted_at=admission.admitted_at,
        submitted_at=admission.submitted_at,
        directory_version=admission.directory.version,
        rules_version=RULES_VERSION,
        source_topic="",
        source_partition=0,
        source_offset=0,
        submission=prepared.value,
    )
    event = wire.decode_event(wire.encode(admitted))
    if not isinstance(event, ReportEvent):
        raise BugError("an admitted report is decoded as a report")
    return event
