from agents.open_cases import OpenCases
from casework.messages import Case

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
    assert set(sums._partitions) == {1}


def test_a_partition_shows_only_when_complete_and_the_order_does_not_matter() -> None:
    """A change that overtakes the indexing of the loaded state gives the same sums."""
    sums = OpenCases()
    sums.start(0)
    sums.changed(0, case("assigned"), case("acknowledged"))
    assert sums.totals() == {}
    sums.changed(0, None, case("assigned"))
    sums.complete(0)
    assert sums.totals() == {("nl-offlimits", "acknowledged"): (1, T // MINUTE * MINUTE)}
