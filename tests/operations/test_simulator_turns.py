from collections import Counter

import pytest

from casework.directory import Directory
from operations.directory import files
from operations.simulator import constants
from operations.simulator.reports import SimulatedReport
from operations.simulator.simulate import simulate
from operations.simulator.turns import Turn
from operations.simulator.year import SimulatedYear

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reports() -> list[SimulatedReport]:
    """Return a thirtieth of 2022, without those that repeat an address."""
    directory: Directory = files.parse(files.read(), environment="demo", published_at=0, candidates="admit")
    return [report for report in SimulatedYear(2022, 5, directory, scale=0.03) if not report.is_duplicate]


def share(reports: list[SimulatedReport], kind: str) -> float:
    """Return the share of illegal content to which something happens."""
    illegal = [report for report in reports if report.fate.police_informed_at is not None]
    return sum(any(turn.kind == kind for turn in report.turns) for report in illegal) / len(illegal)


def test_moves_and_holds_are_as_often_as_assumed(reports: list[SimulatedReport]) -> None:
    """Three to eight in a hundred move, fewer than one in a hundred is held, some move again."""
    low, high = constants.MOVED_SHARE_RANGE
    assert low < share(reports, "moved") < high
    assert 0 < share(reports, "held") < 0.01
    moves = Counter(sum(turn.kind == "moved" for turn in report.turns) for report in reports)
    assert moves[1] > moves[2] > 0


def test_everything_happens_to_somebody(reports: list[SimulatedReport]) -> None:
    """Every kind of turn is played."""
    kinds = {turn.kind for report in reports for turn in report.turns}
    assert kinds == set(Turn.__annotations__["kind"].__args__)


def test_a_demo_plays_what_is_rare_more_often() -> None:
    """With a least share every kind of turn happens to that share, and the reports stay the same."""
    directory = files.parse(files.read(), environment="demo", published_at=0, candidates="admit")
    usual, often = (
        list(SimulatedYear(2022, 5, directory, scale=0.01, rare_at_least=least)) for least in (0.0, 0.2)
    )
    assert [one.fate for one in often] == [one.fate for one in usual]
    often = [one for one in often if not one.is_duplicate]
    for kind in ("moved", "held", "declined", "corrected", "withdrawn", "doubted"):
        assert 0.17 < share(often, kind) < 0.25, kind


def test_turns_come_in_order_and_between_the_steps(reports: list[SimulatedReport]) -> None:
    """Turns are in order of time, none before the report is acknowledged; a move names another country."""
    for report in reports:
        times = [turn.at for turn in report.turns]
        assert times == sorted(times)
        assert not times or times[0] >= report.fate.acknowledged_at
        country = report.hosting_country
        for turn in report.turns:
            assert turn.kind != "moved" or turn.country != country
            country = turn.country or country


def test_turns_leave_the_year_as_it_is(
    reports: list[SimulatedReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any turn the same reports are made, with the same fates."""
    kinds = ("MOVED", "HOLD", "DECLINED", "TRANSFERRED", "DOUBTED", "OBSERVED", "NOTED", "CORRECTED")
    for name in (*kinds, "WITHDRAWN", "REAPPEARED"):
        monkeypatch.setattr(constants, f"{name}_SHARE", 0.0)
    directory = files.parse(files.read(), environment="demo", published_at=0, candidates="admit")
    quiet = [report for report in SimulatedYear(2022, 5, directory, scale=0.03) if not report.is_duplicate]
    assert [report.fate for report in quiet] == [report.fate for report in reports]
    assert {turn.kind for report in quiet for turn in report.turns} == {"host_confirmed"}


@pytest.mark.parametrize("year", constants.YEARS)
def test_rare_things_are_as_rare_as_the_research_says(year: int) -> None:
    """Moves, holds, orphans, onion services and bursts have a line in every year; assumptions say so."""
    directory = files.parse(files.read(), environment="demo", published_at=0, candidates="admit")
    lines = {line.name: line for line in simulate(year, 11, directory, scale=0.02)}
    found = {name: line for name, line in lines.items() if "burst" in name or "quarter" in name}
    rare = [
        lines[name]
        for name in ("moved elsewhere", "held by police", "onion services", "no hotline responsible")
    ]
    assert all(line.passes for line in [*rare, *found.values()])
    assert lines["moved elsewhere"].source.startswith("assumed")
    assert lines["held by police"].source.startswith("assumed")
    assert [line.unit for line in found.values()] == (["reports"] if year == 2024 else ["times"])


def test_too_many_moves_and_holds_and_no_burst_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines fail where more moves and is held than assumed, and where the sender sends as usual."""
    monkeypatch.setattr(constants, "MOVED_SHARE", 0.12)
    monkeypatch.setattr(constants, "HOLD_SHARE", 0.03)
    monkeypatch.setitem(constants.BURSTS, 2022, (("PL", 120, 14, 0.0001),))
    directory = files.parse(files.read(), environment="demo", published_at=0, candidates="admit")
    failed = {line.name for line in simulate(2022, 11, directory, scale=0.1) if not line.passes}
    assert {"moved elsewhere", "held by police", "burst of pl-dyzurnet, 14 days"} <= failed
