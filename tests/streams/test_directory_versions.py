import logging
import math

import pytest
from signed_directories import ANCHOR, WHOLE, Appended, T, Topic, replace, role, signed, version

from casework.directory_checks import LEAD_MS
from operations.directory.equipping import equip
from streams import wire
from streams.clock import CompressedClock, ManualClock
from streams.directory_versions import DirectoryVersions, NoDirectoryError


def test_the_first_version_must_be_signed_by_the_anchor() -> None:
    """Unsigned, half signed and foreign first versions are passed over; then a right one is believed."""
    topic = Topic(ANCHOR)
    assert not topic.append(version(1))
    assert not topic.append(version(1, signers=ANCHOR), "anna")
    assert not topic.append(version(1, signers=role(1, "dora")), "dora")
    assert topic.versions.newest is None
    assert topic.append(version(1, signers=ANCHOR), "anna", "carla")
    assert topic.versions.newest_version == 1


def test_signers_are_handed_on_from_version_to_version() -> None:
    """A chain of versions leads from the anchor to signers it never named; the old ones count no more."""
    topic = Topic(ANCHOR)
    assert topic.append(version(1, signers=ANCHOR), "anna", "bert")
    assert topic.append(version(2, signers=role(2, "carla", "dora")), "anna", "carla", "dora")
    assert not topic.append(version(3, signers=ANCHOR), "anna", "bert", "carla")
    assert topic.append(version(3, signers=role(1, "dora")), "carla", "dora")
    assert topic.append(version(4, signers=role(1, "dora")), "dora")
    assert topic.versions.trusted == role(1, "dora")


def test_a_process_without_an_anchor_still_demands_the_chain() -> None:
    """Once a signed version was believed, the next one needs its signers, anchor or not."""
    topic = Topic()
    assert topic.append(version(1))
    assert not topic.append(version(2, signers=ANCHOR), "anna")
    assert topic.append(version(2, signers=ANCHOR), "anna", "bert")
    assert not topic.append(version(3))
    assert not topic.append(version(3, signers=role(1, "dora")), "dora")


def test_an_older_version_after_a_newer_one_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Rolling back is refused even with right signatures, and so are other bytes under a known number."""
    topic = Topic(ANCHOR)
    assert topic.append(version(2, signers=ANCHOR), "anna", "bert")
    with caplog.at_level(logging.ERROR):
        assert not topic.append(version(1, signers=ANCHOR), "anna", "bert")
        assert not topic.append(version(2, signers=ANCHOR, valid_from=T + 1), "anna", "bert")
    assert "not_newer" in caplog.text
    assert "exists" in caplog.text
    assert topic.append(version(2, signers=ANCHOR), "anna", "bert")
    assert topic.versions.newest is not None
    assert topic.versions.newest.offset == 1


@pytest.mark.parametrize(("late", "believed"), [(0, True), (1, False), (LEAD_MS, False), (-1, True)])
def test_a_successor_must_reach_the_topic_a_minute_before_it_takes_effect(late: int, believed: bool) -> None:
    """To the millisecond, by the broker's time of the append and not by anybody's own clock."""
    topic = Topic()
    assert topic.append(version(1), at=T + 10 * LEAD_MS)
    assert topic.append(version(2), at=T + late) is believed


def test_a_version_that_came_too_late_may_come_again_with_another_time() -> None:
    """Nobody believed it, so its number is free."""
    topic = Topic()
    assert topic.append(version(1))
    assert not topic.append(version(2), at=T + 1)
    assert topic.append(version(2, valid_from=T + 2 * LEAD_MS), at=T + 2)


def test_the_minute_is_one_of_the_exchanges_clock() -> None:
    """In a simulation that runs 600 times as fast it passes in a tenth of a second of the broker's time."""
    clock = CompressedClock(T, T, 600.0)
    topic = Topic(clock=clock)
    assert topic.append(version(1))
    assert not topic.append(version(2, valid_from=T + 2 * LEAD_MS), at=T + 101)
    assert topic.append(version(2, valid_from=T + 2 * LEAD_MS), at=T + 100)


def test_an_expired_directory_decides_nothing_and_no_older_one_takes_its_place() -> None:
    """Whoever withholds the successor does not bring back the version before; the error says what to do."""
    topic = Topic()
    assert topic.append(version(1))
    assert topic.append(version(2, expires_at=T + 3 * LEAD_MS))
    assert topic.versions.latest(T + LEAD_MS).version == 2
    assert topic.versions.latest(T + 3 * LEAD_MS - 1).version == 2
    with pytest.raises(NoDirectoryError, match=r"version 2 expired at 2025-10-09T.*sign and publish"):
        topic.versions.latest(T + 3 * LEAD_MS)


def test_expiry_is_real_time_even_in_a_simulation() -> None:
    """A directory of a simulated year expires when the real clock says so."""
    clock = CompressedClock(T - 10**11, T, 1000.0)
    topic = Topic(clock=clock)
    assert topic.append(version(1, valid_from=T - 2 * 10**11, expires_at=T + 5_000))
    assert topic.versions.latest(clock.at(T + 4_999)).version == 1
    with pytest.raises(NoDirectoryError, match="expired"):
        topic.versions.latest(clock.at(T + 5_000))


def test_the_time_left_is_that_of_the_newest_version() -> None:
    """Seconds of real time, negative when over, infinite without an end."""
    topic = Topic()
    assert topic.versions.expires_in_s() == math.inf
    topic.append(version(1))
    assert topic.versions.expires_in_s() == math.inf
    topic.append(version(2, expires_at=T + 90_000))
    assert topic.versions.expires_in_s() == 90.0
    topic.clock.advance(100_000)
    assert topic.versions.expires_in_s() == -10.0


def test_a_moment_of_the_past_meets_the_version_that_was_valid_then() -> None:
    """A repeated stamp names the same version, whatever was published since; gaps meet the next one."""
    topic = Topic()
    topic.append(version(1, valid_from=T, expires_at=T + 50))
    topic.append(version(2, valid_from=T + LEAD_MS))
    topic.append(version(3, valid_from=T + LEAD_MS + 100))
    stamps = (T, T + 49, T + LEAD_MS, T + LEAD_MS + 99, T + LEAD_MS + 100)
    end = T + 2 * LEAD_MS
    assert [topic.versions.valid_at(stamp, end).version for stamp in stamps] == [1, 1, 2, 2, 3]
    assert [topic.versions.valid_at(stamp, end).version for stamp in (T - 5, T + 50)] == [1, 2]
    with pytest.raises(NoDirectoryError, match="expired"):
        topic.versions.valid_at(T + 50, T + 99)


@pytest.mark.parametrize("value", [None, b"", b"garbage", wire.encode(signed(version(1)))[:-3]])
def test_what_is_no_directory_changes_nothing(value: bytes | None) -> None:
    """Tombstones, garbage and half a record are left out."""
    topic = Topic()
    assert topic.versions.take(Appended(0, T, value)) is None
    assert topic.append(version(1))


def test_a_directory_for_another_environment_is_refused() -> None:
    """Signed or not: the test exchange's directory means nothing here."""
    topic = Topic(ANCHOR)
    assert not topic.append(version(1, signers=ANCHOR, environment="demo"), "anna", "bert")


@pytest.mark.parametrize(
    ("changes", "is_believed"),
    [
        ({}, True),
        ({"protection": "optional"}, False),
        ({"exchange_keys": ()}, False),
        ({"expires_at": None}, False),
    ],
)
def test_production_believes_no_unprotected_network_whoever_signed_it(
    changes: dict[str, object], is_believed: bool
) -> None:
    """Right signatures do not make a directory without protection, keys or an end usable in production."""
    sure = replace(
        WHOLE,
        environment="production",
        members=tuple(replace(member, assumed=()) for member in WHOLE.members),
        countries=tuple(replace(rule, assumed=()) for rule in WHOLE.countries),
    )
    equipment = equip(sure, at=0, expires_at=T + 10 * LEAD_MS)
    versions = DirectoryVersions("production", ManualClock(T), equipment.anchor)
    value = wire.encode(equipment.signed(replace(equipment.directory, **changes)))
    assert (versions.take(Appended(1, T, value)) is not None) is is_believed
