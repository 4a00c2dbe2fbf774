import msgspec

from agents.open_cases import OpenCases
from casework.messages import Case, Hold, HoldRequest, Lease

MINUTE = 60_000
T = 1_700_000_040_000


def case(state: str, hotline: str | None = "nl-offlimits", received_at: int = T) -> Case:
    """Answer a case in a state."""
    return Case(
        url_key=b"k",
        case_id="c",
        source_offset=1,
        environment="test",
        number=1,
        state=state,
        round=1,
        leg=1,
        hosting_country="NL",
        assigned_hotline=hotline,
        received_at=received_at,
        opened_at=T,
        leg_started_at=T,
        last_now=T,
        directory_version=1,
        rules_version=1,
    )


def loaded(*partitions: int) -> OpenCases:
    """Answer sums with some partitions loaded and complete."""
    sums = OpenCases()
    for partition in partitions:
        sums.start(partition)
        sums.complete(partition)
    return sums


def test_cases_move_between_groups_and_the_oldest_follows() -> None:
    """Counts and the oldest time are those of the cases that are in a state now, to the minute."""
    sums = loaded(0, 1)
    sums.changed(0, None, case("assigned", received_at=T))
    sums.changed(1, None, case("assigned", received_at=T - MINUTE))
    assert sums.totals() == {("nl-offlimits", "assigned"): (2, T // MINUTE * MINUTE - MINUTE)}
    sums.changed(1, case("assigned", received_at=T - MINUTE), case("acknowledged", received_at=T - MINUTE))
    assert sums.totals()["nl-offlimits", "assigned"] == (1, T // MINUTE * MINUTE)
    sums.changed(0, case("assigned"), case("closed"))
    assert ("nl-offlimits", "assigned") not in sums.totals()


def test_a_revoked_partition_takes_its_cases_along() -> None:
    """What another worker counts now is not counted here."""
    sums = loaded(0, 1)
    sums.changed(0, None, case("assigned"))
    sums.changed(1, None, case("orphaned", hotline=None))
    sums.stop(0)
    assert sums.totals() == {("desk-orphans", "orphaned"): (1, T // MINUTE * MINUTE)}
    sums.changed(0, None, case("assigned"))
    assert len(sums.totals()) == 1
    assert set(sums._cases._partitions) == {1}


def test_a_partition_shows_only_when_complete_and_the_order_does_not_matter() -> None:
    """A change that overtakes the indexing of the loaded state gives the same sums."""
    sums = OpenCases()
    sums.start(0)
    sums.changed(0, case("assigned"), case("acknowledged"))
    assert sums.totals() == {}
    sums.changed(0, None, case("assigned"))
    sums.complete(0)
    assert sums.totals() == {("nl-offlimits", "acknowledged"): (1, T // MINUTE * MINUTE)}


def test_queues_are_counted_with_the_age_of_the_oldest() -> None:
    """A case is in each queue it lies in, since when it lies there, and leaves them all when it is closed."""
    sums = loaded(0)
    claimed = msgspec.structs.replace(case("assigned"), lease=Lease(until=9, queue="offered"), overdue=())
    orphan = msgspec.structs.replace(case("orphaned", hotline=None), leg_started_at=T - MINUTE)
    sums.changed(0, None, claimed)
    sums.changed(0, None, orphan)
    sums.changed(0, None, case("orphaned", hotline=None))
    begin = T // MINUTE * MINUTE
    assert sums.queues() == {
        ("claimed", "nl-offlimits"): (1, begin),
        ("orphans", "desk-orphans"): (2, begin - MINUTE),
    }
    sums.changed(0, orphan, case("assigned"))
    sums.changed(0, claimed, case("closed"))
    assert sums.queues() == {("orphans", "desk-orphans"): (1, begin)}


def test_a_hold_shows_as_paused_and_a_request_for_one_not_at_all() -> None:
    """Whoever can read the metrics learns that a clock is paused, never that police asked for something."""
    sums = loaded(0)
    asked = HoldRequest(by="interpol", until=9, liaison="nl-police", asked_at=T, fact_number=3)
    hold = Hold(until=9, since=T, by="nl-police", liaison="nl-police", warned=0, fact_number=4)
    sums.changed(0, None, msgspec.structs.replace(case("assigned"), hold=hold, hold_requests=(asked,)))
    assert {queue for queue, _ in sums.queues()} == {"paused"}
