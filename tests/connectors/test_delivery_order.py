from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery_order import CaseKey, DeliveryOrder, Gap, HoldLimits

KEY = CaseKey("nl-offlimits", "case-1")
OTHER = CaseKey("nl-offlimits", "case-2")


def fresh(limits: HoldLimits | None = None) -> DeliveryOrder[str]:
    """Return the order of a reader that has met no case."""
    return DeliveryOrder(lambda _key: 1, limits)


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[CaseKey, int]]:
    """Draw the deliveries of several cases, each at least once, shuffled and with duplicates."""
    counts = draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    once = [(CaseKey("m", f"c{case}"), n) for case, count in enumerate(counts) for n in range(1, count + 1)]
    again = draw(st.lists(st.sampled_from(once), max_size=12))
    return list(draw(st.permutations(once + again)))


@given(arrivals())
def test_any_interleaving_yields_each_number_once_in_order(sequence: list[tuple[CaseKey, int]]) -> None:
    """However deliveries are shuffled and doubled, each case hands out 1..n, ascending, once."""
    order = fresh()
    out: dict[CaseKey, list[int]] = {}
    for key, number in sequence:
        for ready, item in order.offer(key, number, f"{key}/{number}", 0).ready:
            assert item == f"{key}/{ready}"
            out.setdefault(key, []).append(ready)
    for key in {key for key, _ in sequence}:
        last = max(number for case, number in sequence if case == key)
        assert out[key] == list(range(1, last + 1))
    assert order.held == 0
    assert order.gaps() == ()


@given(arrivals(), st.data())
def test_a_restart_from_the_saved_floor_loses_and_swaps_nothing(
    sequence: list[tuple[CaseKey, int]], data: st.DataObject
) -> None:
    """After a crash anywhere, each case goes on at its first number not done, in order to the end."""
    floors: dict[CaseKey, int] = {}
    done: dict[CaseKey, set[int]] = {}

    def finish(order: DeliveryOrder[None], key: CaseKey, number: int) -> None:
        done.setdefault(key, set()).add(number)
        floors[key] = order.done(key, number)

    before: DeliveryOrder[None] = DeliveryOrder(lambda key: floors.get(key, 1))
    handed: list[tuple[CaseKey, int]] = []
    for key, number in sequence[: data.draw(st.integers(0, len(sequence)))]:
        handed += [(key, ready) for ready, _ in before.offer(key, number, None, 0).ready]
        while handed and data.draw(st.booleans()):
            finish(before, *handed.pop(data.draw(st.integers(0, len(handed) - 1))))
    for key, floor in floors.items():
        assert set(range(1, floor)) <= done[key]

    started = dict(floors)
    after: DeliveryOrder[None] = DeliveryOrder(lambda key: floors.get(key, 1))
    again: dict[CaseKey, list[int]] = {}
    for key, number in sequence:
        for ready, _ in after.offer(key, number, None, 0).ready:
            again.setdefault(key, []).append(ready)
            finish(after, key, ready)
    for key in {key for key, _ in sequence}:
        last = max(number for case, number in sequence if case == key)
        assert again.get(key, []) == list(range(started.get(key, 1), last + 1))
        assert done[key] == set(range(1, last + 1))


def test_a_gap_is_named_with_case_recipient_numbers_and_time() -> None:
    """What is missing can be read off: which case, for whom, which numbers, since when."""
    order = fresh()
    order.offer(KEY, 7, "g", 300)
    order.offer(KEY, 3, "c", 200)
    order.offer(OTHER, 2, "b", 100)
    assert order.gaps() == (
        Gap("nl-offlimits", "case-2", ((1, 1),), 1, 100),
        Gap("nl-offlimits", "case-1", ((1, 2), (4, 6)), 2, 300),
    )


def test_a_filled_gap_hands_out_all_that_waited() -> None:
    """The delivery that fills a gap brings those held behind it, up to the next gap."""
    order = fresh()
    for number in (2, 3, 5):
        assert order.offer(KEY, number, str(number), 0).verdict == "held"
    assert order.offer(KEY, 1, "1", 0).ready == ((1, "1"), (2, "2"), (3, "3"))
    assert order.held == 1


def test_limits_refuse_to_hold_more_but_let_the_missing_one_through() -> None:
    """At the limit later deliveries are `full`, while the one that fills the gap is still taken."""
    order = fresh(HoldLimits(per_case=2, in_total=3))
    assert [order.offer(KEY, n, "x", 0).verdict for n in (2, 3, 4)] == ["held", "held", "full"]
    assert [order.offer(OTHER, n, "x", 0).verdict for n in (2, 3)] == ["held", "full"]
    assert [number for number, _ in order.offer(KEY, 1, "x", 0).ready] == [1, 2, 3]
    assert order.offer(KEY, 4, "x", 0).verdict == "ready"


def test_the_floor_stays_below_what_is_not_done() -> None:
    """A later delivery done first does not let a restart skip an earlier one."""
    order = fresh()
    for number in (1, 2, 3):
        order.offer(KEY, number, "x", 0)
    assert [order.done(KEY, 3), order.done(KEY, 1), order.done(KEY, 2)] == [1, 2, 4]


def test_an_accepted_gap_gives_up_only_the_first_stretch() -> None:
    """A person who gives up missing numbers gets what waited behind them and keeps later gaps."""
    order = fresh()
    order.offer(KEY, 3, "3", 0)
    order.offer(KEY, 6, "6", 0)
    assert order.accept_gap(KEY) == ((3, "3"),)
    assert order.gaps()[0].missing == ((4, 5),)
    assert order.offer(KEY, 1, "1", 0).verdict == "duplicate"
    assert order.accept_gap(OTHER) == ()
