"""Whether a matter has a timer of a case is told from a few fields."""

import msgspec
import pytest

from casework.matters import DUE
from casework.messages import Asked, Case, Hold, HoldRequest, HostDoubt, Lease, OpenEscalation
from casework.states import ASSIGNED, CLOSED, OFFERED, ORPHANED
from casework.timers import Due, Timers

NOW = 1_795_000_000_000
CASE = Case(
    url_key=b"k", case_id="c", source_offset=0, environment="test", number=1, state=ASSIGNED, round=1, leg=1,
    hosting_country="NL", received_at=NOW, opened_at=NOW, leg_started_at=NOW, last_now=NOW,
    directory_version=1, rules_version=1, told=(f"inform_police:remind:{NOW}",), erase_at=NOW,
    lease=Lease(until=NOW, queue=OFFERED), unclaimed_due_at=NOW,
    hold=Hold(until=NOW, since=NOW, by="p", liaison="p", warned=0, fact_number=1),
    hold_requests=(HoldRequest(by="p", until=NOW, liaison="p", asked_at=NOW, fact_number=1),),
    doubt=HostDoubt(hosting_country="US", by="h", observed_at=NOW, due_at=NOW, fact_number=1),
    open_escalations=(
        OpenEscalation(
            recipient="nl", reason_code="tor", report_event_id="e", origin="o", due_at=NOW, attempt=1
        ),
    ),
    asked=(Asked(fact_number=1, kind="correction", members=("o",), due_at=NOW),),
)  # fmt: skip
BLANK = msgspec.structs.replace(CASE, hold=None, hold_requests=())


@pytest.mark.parametrize("timers", DUE, ids=lambda timers: timers.fields[0])
def test_a_matter_has_timers_by_its_fields_only(timers: Timers) -> None:
    """A full case has a timer of each matter in some state, and none without the fields of that matter."""
    found: list[Due] = []
    for state in (ASSIGNED, OFFERED, ORPHANED, CLOSED):
        for case in (CASE, BLANK):
            there = msgspec.structs.replace(case, state=state)
            found += timers.of(there)
            blank = {
                field: () if isinstance(getattr(there, field), tuple) else None for field in timers.fields
            }
            assert list(timers.of(msgspec.structs.replace(there, **blank))) == []
    assert found
