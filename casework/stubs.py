"""Stubs: what is kept of a case when it has been closed for long, in at most 150 bytes for six recipients.

Its facts stay in the log of facts for years; what must go on without a gap stays here: the number of the
last fact and the number of the last delivery to each recipient, under a short hash of its name. A report that
comes later opens a new round, whether it says that the content was seen since or not.
"""

import hashlib
import uuid
from typing import Final

import msgspec

from casework.messages import Case, CaseStub, Fact
from casework.states import CLOSED

SHRINK: Final = "shrink"
"""Step of the wake-up that is sent when a case has been closed for long."""
_HASH_BYTES: Final = 4
_ENTRY_BYTES: Final = _HASH_BYTES + 2
_LARGEST: Final = (1 << 16) - 1


def is_stub(case: Case) -> bool:
    """Answer whether nothing but a stub was kept of a closed case; a report always leaves an origin."""
    return case.state == CLOSED and not case.origins


def may_shrink(case: Case) -> bool:
    """Answer whether a case can become a stub now: nothing is kept of it and nobody is waited for."""
    if case.state != CLOSED or case.waiting or case.parked is not None or case == _bare(case):
        return False
    is_kept = case.erase_at is not None or case.hold is not None or case.references or case.preservations
    if is_kept or case.hold_requests or any(asked.due_at for asked in case.asked):
        return False
    hashes = {_short(count.recipient) for count in case.deliveries}
    is_clear = len(hashes) == len(case.deliveries)
    return is_clear and all(count.number <= _LARGEST for count in case.deliveries)


def shrunk(case: Case, fact: Fact) -> Case:
    """Answer the case after the fact `shrunk`."""
    after = msgspec.structs.replace(
        case,
        number=fact.number,
        source_offset=max(case.source_offset, fact.source_offset),
        last_now=fact.admitted_at,
        directory_version=fact.directory_version,
        rules_version=fact.rules_version,
    )
    return _bare(after)


def last_number(case: Case | None, recipient: str) -> int:
    """Answer the number of the last delivery to a recipient, 0 when there was none."""
    if case is None:
        return 0
    for count in case.deliveries:
        if count.recipient == recipient:
            return count.number
    if case.earlier_deliveries is None:
        return 0
    return _entries(case.earlier_deliveries).get(_short(recipient), 0)


def stub_of(case: Case) -> CaseStub | None:
    """Answer the stub that stands for a case, None for one that is more than a stub."""
    if not is_stub(case) or case != _bare(case):
        return None
    return CaseStub(
        url_key=case.url_key,
        case_id=uuid.UUID(case.case_id).bytes,
        source_offset=case.source_offset,
        environment=case.environment,
        number=case.number,
        round=case.round,
        leg=case.leg,
        hosting_country=case.hosting_country,
        assigned_hotline=case.assigned_hotline,
        last_now=case.last_now,
        earlier_deliveries=case.earlier_deliveries,
        directory_version=case.directory_version,
        rules_version=case.rules_version,
    )


def case_of(stub: CaseStub) -> Case:
    """Answer the case that a stub stands for."""
    return Case(
        url_key=stub.url_key,
        case_id=str(uuid.UUID(bytes=stub.case_id)),
        source_offset=stub.source_offset,
        environment=stub.environment,
        number=stub.number,
        state=CLOSED,
        round=stub.round,
        leg=stub.leg,
        hosting_country=stub.hosting_country,
        assigned_hotline=stub.assigned_hotline,
        received_at=stub.last_now,
        opened_at=stub.last_now,
        leg_started_at=stub.last_now,
        last_now=stub.last_now,
        earlier_deliveries=stub.earlier_deliveries,
        directory_version=stub.directory_version,
        rules_version=stub.rules_version,
    )


def _bare(case: Case) -> Case:
    """Answer a case with nothing that a stub does not hold."""
    numbers = _entries(case.earlier_deliveries)
    numbers |= {_short(count.recipient): count.number for count in case.deliveries}
    return Case(
        url_key=case.url_key,
        case_id=case.case_id,
        source_offset=case.source_offset,
        environment=case.environment,
        number=case.number,
        state=case.state,
        round=case.round,
        leg=case.leg,
        hosting_country=case.hosting_country,
        assigned_hotline=case.assigned_hotline,
        received_at=case.last_now,
        opened_at=case.last_now,
        leg_started_at=case.last_now,
        last_now=case.last_now,
        earlier_deliveries=b"".join(
            short + number.to_bytes(2, "big") for short, number in sorted(numbers.items())
        )
        or None,
        directory_version=case.directory_version,
        rules_version=case.rules_version,
    )


def _entries(packed: bytes | None) -> dict[bytes, int]:
    if packed is None:
        return {}
    return {
        packed[at : at + _HASH_BYTES]: int.from_bytes(packed[at + _HASH_BYTES : at + _ENTRY_BYTES], "big")
        for at in range(0, len(packed), _ENTRY_BYTES)
    }


def _short(recipient: str) -> bytes:
    return hashlib.sha256(recipient.encode()).digest()[:_HASH_BYTES]
