from itertools import islice

import pytest

from operations.chaos.kinds import ARMED, DISTURBING, KINDS, POINTS
from operations.chaos.schedule import Step, steps
from streams.fault_points import POINTS as NAMED_POINTS
from streams.fault_points import FaultPoints


def first(seed: int, number: int, cluster: str = "one") -> list[Step]:
    """Answer the first steps of a seed."""
    return list(islice(steps(seed, cluster), number))  # type: ignore[arg-type]


def test_equal_seeds_give_equal_steps_and_others_do_not() -> None:
    """A run is repeated by its seed: kinds, order, targets, durations and what is armed."""
    assert first(7, 100) == first(7, 100)
    assert first(7, 100) != first(8, 100)


@pytest.mark.parametrize("cluster", ["one", "three"])
def test_every_kind_comes_before_any_deck_is_used_up(cluster: str) -> None:
    """No kind of fault is left to luck: one deck holds each, as often as it weighs."""
    kinds = [kind for kind in KINDS if kind.where in {"any", cluster}]
    dealt = [step.kind for step in first(3, sum(kind.weight for kind in kinds), cluster)]
    assert {kind.name: dealt.count(kind.name) for kind in kinds} == {kind.name: kind.weight for kind in kinds}
    assert ("leaders moved" in dealt) == (cluster == "three")


def test_only_the_named_kinds_come_each_once_before_any_comes_again() -> None:
    """A short run that names its kinds has every one of them."""
    dealt = [step.kind for step in islice(steps(3, "one", ("zombie", "broker killed", POINTS)), 6)]
    assert sorted(dealt[:3]) == sorted(dealt[3:]) == sorted(["broker killed", POINTS, "zombie"])


def test_every_armed_text_can_be_read_by_a_worker() -> None:
    """What is armed is understood by the fault points, and only steps that arm have it."""
    for step in first(5, 200):
        assert bool(step.armed) == (step.kind == POINTS)
        assert FaultPoints.from_text(step.armed).is_armed == bool(step.armed)


def test_every_named_point_is_broken_by_a_crash_or_an_error() -> None:
    """A point that the suite never arms would prove nothing."""
    armed = {text.partition(":")[0] for text in (*ARMED, *DISTURBING)}
    assert armed == NAMED_POINTS
