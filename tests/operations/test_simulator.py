import gzip
import itertools
import statistics as plain_statistics
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from casework.codes import (
    AGE_GROUPS,
    CLASSIFICATIONS,
    CONTENT_TOPICS,
    GENDERS,
    REASONS,
    SITE_TYPES,
    URGENCIES,
)
from casework.countries import check_country
from casework.directory import Directory
from casework.errors import BadInputError, SetupError
from casework.urls import check_url
from operations.directory import files
from operations.simulator import constants
from operations.simulator.arrivals import arrivals, bursts_of
from operations.simulator.behaviour import removal_times
from operations.simulator.draws import Draws, Weighted
from operations.simulator.hosting import hosting_weights
from operations.simulator.samples import Line, as_text
from operations.simulator.simulate import simulate
from operations.simulator.statistics import Statistics
from operations.simulator.year import SimulatedYear

pytestmark = pytest.mark.slow

SCALE = 0.02


@pytest.fixture(scope="module")
def directory() -> Directory:
    """Return the shipped directory with every candidate admitted."""
    return files.parse(files.read(), environment="demo", published_at=0, candidates="admit")


@pytest.mark.parametrize("year", constants.YEARS)
def test_a_sample_matches_the_published_figures(year: int, directory: Directory) -> None:
    """A fiftieth of each year is within tolerance of every published figure."""
    lines = simulate(year, 7, directory, scale=SCALE)
    assert [line.name for line in lines if not line.passes] == []
    names = {line.name for line in lines}
    assert {
        "judged illegal",
        "mean removal",
        "duplicates",
        "gender female",
        "no hotline responsible",
    } <= names


def test_2022_compares_what_the_issue_names(directory: Directory) -> None:
    """The lines of 2022 hold illegal share, removal, hosting, orphans, sites, genders and ages."""
    names = {line.name for line in simulate(2022, 1, directory, scale=SCALE)}
    assert {
        "reports",
        "judged illegal",
        "removed the same day",
        "mean removal",
        "median removal",
        "hosted in NL",
        "hosted in US",
        "no hotline responsible",
        "site type image_host",
        "gender female",
        "under 13",
    } <= names


def test_a_wrong_figure_is_noticed(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports made from other figures than the published ones are noticed."""
    year = SimulatedYear(2022, 7, directory, scale=SCALE)
    monkeypatch.setitem(constants.ILLEGAL_SHARE, 2022, 0.75)
    monkeypatch.setitem(constants.REMOVAL_MEAN_DAYS, 2022, 9.0)
    monkeypatch.setitem(constants.SAME_DAY_REMOVAL_SHARE, 2022, 0.20)
    reports = list(year)
    monkeypatch.undo()
    statistics = Statistics(2022, len(year), year.population)
    for report in reports[:-1]:
        statistics.add(report)
    failed = {line.name for line in statistics.lines() if not line.passes}
    assert {"reports", "judged illegal", "mean removal", "removed the same day"} <= failed


@pytest.mark.parametrize("reports", [1, 2, 3, 1000, 11_757])
def test_arrivals_sum_to_exactly_the_reports_asked_for(reports: int) -> None:
    """Whatever the seed, reports sum to the number asked for, in order of time, within the year."""
    for seed in range(5):
        made = list(arrivals(2022, reports, Draws(seed, "arrivals")))
        assert sum(arrival.reports for arrival in made) == reports
        assert min(arrival.reports for arrival in made) >= 1
        assert len(made) == max(1, round(reports / constants.REPORTS_PER_COMPLAINT))
        times = [arrival.at for arrival in made]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] < 365 * constants.DAY_MS


def test_the_published_totals_are_those_of_the_years(directory: Directory) -> None:
    """Without scale a year has exactly the published number of reports."""
    assert [len(SimulatedYear(year, 1, directory)) for year in (2022, 2023, 2024)] == [
        587_852,
        785_322,
        2_497_438,
    ]


def test_bursts_come_from_one_sender_in_their_time(directory: Directory) -> None:
    """Half of 2024 comes from the Bulgarian hotline in the two quarters of its burst."""
    year = SimulatedYear(2024, 3, directory, scale=0.004)
    sender = year.population.hotline_of("BG")
    burst = [report for report in year if report.in_burst]
    share = sum(burst.share for burst in bursts_of(2024))
    assert {report.sender for report in burst} == {sender}
    assert len(burst) / len(year) == pytest.approx(share, abs=0.03)
    start = year.start_ms + bursts_of(2024)[0].first_hour * constants.HOUR_MS
    assert min(report.occurred_at for report in burst) >= start


def test_a_seed_writes_the_same_bytes_twice(directory: Directory, tmp_path: Path) -> None:
    """Equal seeds give equal files, compressed or not, and another seed another file."""
    names = ["a.jsonl", "b.jsonl", "a.jsonl.gz", "b.jsonl.gz", "c.jsonl"]
    for name, seed in zip(names, [5, 5, 5, 5, 6], strict=True):
        simulate(2022, seed, directory, str(tmp_path / name), scale=0.002)
    plain, same, packed, same_packed, other = ((tmp_path / name).read_bytes() for name in names)
    assert plain == same
    assert packed == same_packed
    assert packed[4:8] == bytes(4), "the header of gzip must not hold the time of writing"
    assert gzip.decompress(packed) == plain
    assert plain.count(b"\n") == round(587_852 * 0.002)
    assert other != plain


def test_standard_output_gets_the_same_lines(
    directory: Directory, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A dash writes to standard output what a file would get."""
    simulate(2022, 5, directory, "-", scale=0.0005)
    simulate(2022, 5, directory, str(tmp_path / "file"), scale=0.0005)
    assert capfdbinary.readouterr().out == (tmp_path / "file").read_bytes()


def test_reports_come_in_order_and_keep_the_rules_of_messages(directory: Directory) -> None:
    """Times rise, codes are known, addresses are reserved for examples, senders are active hotlines."""
    last = 0
    for report in SimulatedYear(2022, 2, directory, scale=0.01):
        assert report.occurred_at >= last
        last = report.occurred_at
        assert report.received_at <= report.occurred_at
        assert report.received_at % constants.MINUTE_MS == 0
        assert check_country("hosting_country", report.hosting_country) is None
        assert check_url(report.url) is None
        assert str(urlsplit(report.url).hostname).endswith(".example")
        assert report.site_type in SITE_TYPES
        assert report.classification in CLASSIFICATIONS
        assert report.content_topic is None or report.content_topic in CONTENT_TOPICS
        assert report.age_category is None or report.age_category in AGE_GROUPS
        assert report.gender_category is None or report.gender_category in GENDERS
        assert all(code in URGENCIES for code in report.urgency)
        assert directory.member(report.sender).active


def test_a_fate_happens_in_order_and_names_its_reason(directory: Directory) -> None:
    """The steps come in order, and outcomes that need a reason have one."""
    outcomes = Counter[str]()
    for report in SimulatedYear(2022, 2, directory, scale=0.01):
        if report.is_duplicate:
            continue
        fate = report.fate
        steps = [
            report.received_at,
            fate.acknowledged_at,
            fate.assessed_at,
            fate.police_informed_at,
            fate.provider_informed_at,
            fate.closed_at,
        ]
        times = [time for time in steps if time is not None]
        assert times == sorted(times)
        outcomes[fate.outcome] += 1
        assert (fate.closed_at is None) == (fate.outcome == "stays")
        assert (fate.reason_code is not None) == (fate.outcome in {"unavailable", "not_illegal"})
        assert fate.reason_code is None or fate.reason_code in REASONS
        is_illegal = report.classification != "unassessed"
        assert is_illegal == (fate.outcome in {"removed", "stays"})
    assert set(outcomes) == {"removed", "stays", "unavailable", "not_illegal"}


def test_duplicates_repeat_an_address_and_its_host(directory: Directory) -> None:
    """A duplicate has address and host of an earlier report, from the same or another hotline."""
    seen: dict[str, str] = {}
    references = set()
    senders: dict[str, str] = {}
    same = other = 0
    for report in SimulatedYear(2022, 2, directory, scale=0.02):
        references.add(report.reference)
        if report.is_duplicate:
            assert seen[report.url] == report.hosting_country
            same += senders[report.url] == report.sender
            other += senders[report.url] != report.sender
        else:
            assert report.url not in seen
            seen[report.url] = report.hosting_country
            senders[report.url] = report.sender
    assert len(references) == round(587_852 * 0.02)
    assert same > 20
    assert other > 20


def test_removal_times_meet_mean_and_same_day_share_over_all_countries() -> None:
    """With countries on figures of their own the network still has 26 % in a day and a mean of 6 days."""
    hosting = {
        country: share for country, share in hosting_weights(2022).items() if country not in {"HK", "MY"}
    }
    own, rest = removal_times(2022, hosting)
    total = sum(hosting.values())
    times = [(share / total, own.get(country, rest)) for country, share in hosting.items()]
    assert sum(share * time.mean for share, time in times) == pytest.approx(6.0)
    assert sum(share * time.share_within(1.0) for share, time in times) == pytest.approx(0.26)
    assert own["DE"].mean == pytest.approx(2.8)
    assert own["GB"].share_within(1 / 24) == pytest.approx(0.52)
    assert own["GB"].share_within(2.0) == 1.0


def test_the_mean_of_a_cut_removal_time_is_that_of_its_draws() -> None:
    """The formula for the mean of a cut log-normal agrees with draws from it."""
    own, _ = removal_times(2022, {"GB": 0.1, "NL": 0.9})
    draws = Draws(1, "test")
    assert plain_statistics.fmean(own["GB"].draw(draws) for _ in range(40_000)) == pytest.approx(
        own["GB"].mean, rel=0.02
    )


@pytest.mark.parametrize("year", constants.YEARS)
def test_hosting_weights_sum_to_one_over_known_countries(year: int) -> None:
    """Each year's hosting countries are valid and their shares sum to one."""
    weights = hosting_weights(year)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert [country for country in weights if check_country("hosting_country", country)] == []


def test_weighted_choices_follow_their_weights_to_the_edges() -> None:
    """Every value is drawn for exactly its part of the range, also at the ends."""
    choice = Weighted({"a": 1.0, "b": 3.0})
    assert [choice.draw(uniform) for uniform in (0.0, 0.2499, 0.25, 0.9999999999999999)] == [
        "a",
        "a",
        "b",
        "b",
    ]


def test_streams_of_draws_do_not_disturb_each_other() -> None:
    """Equal seed and name give equal draws; another name or seed gives others."""
    first, again, name, seed = (
        [draws.uniform() for _ in range(4)]
        for draws in (Draws(1, "a"), Draws(1, "a"), Draws(1, "b"), Draws(2, "a"))
    )
    assert first == again
    assert all(one != two for one, two in itertools.combinations([first, name, seed], 2))


def test_years_without_figures_and_empty_runs_are_refused(directory: Directory) -> None:
    """An unknown year, a scale that makes nothing and a directory without hotlines are refused."""
    with pytest.raises(BadInputError, match="2022, 2023, 2024"):
        SimulatedYear(1999, 1, directory)
    with pytest.raises(BadInputError, match="scale"):
        SimulatedYear(2022, 1, directory, scale=1e-9)
    nobody = files.parse(files.read(), environment="demo", published_at=0)
    with pytest.raises(SetupError, match="no active hotline"):
        SimulatedYear(2022, 1, nobody)


def test_the_table_says_which_line_is_out() -> None:
    """A line outside its tolerance is marked, one inside is not, and a lower bound has no upper one."""
    good = Line("good", 0.5, 0.5, 0.1, "share", "within", "x")
    bad = Line("bad", 7.0, 6.0, 0.5, "days", "within", "x")
    least = Line("least", 40.0, 28.0, 1.0, "days", "at_least", "x")
    rows = as_text([good, bad, least]).splitlines()
    assert ["OUT" in row for row in rows] == [False, False, True, False]
