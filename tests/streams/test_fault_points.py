import asyncio
import signal
import subprocess
import sys

import pytest
from aiokafka.errors import NotLeaderForPartitionError

from streams.fault_points import NO_FAULTS, POINTS, FaultPoints, FaultTextError
from streams.settings import Settings, SettingsError

pytestmark = pytest.mark.slow

OWN_KEY = "ab" * 32


async def test_nothing_is_armed_without_a_text() -> None:
    """Reaching any point without a text does nothing."""
    for point in POINTS:
        await NO_FAULTS.reach(point, 3)
    assert not NO_FAULTS.is_armed
    assert not FaultPoints.from_text("").is_armed


async def test_a_numbered_fault_strikes_once_and_only_that_time() -> None:
    """`@2` strikes the second time the point is reached, never before and never again."""
    faults = FaultPoints.from_text("publisher.send:raise=NotLeaderForPartitionError@2")
    await faults.reach("publisher.send")
    with pytest.raises(NotLeaderForPartitionError, match=r"publisher\.send"):
        await faults.reach("publisher.send")
    await faults.reach("publisher.send")


async def test_a_fault_of_one_partition_leaves_the_others_alone() -> None:
    """With a partition, only work on that partition counts and is hit."""
    faults = FaultPoints.from_text("casekeeper.before_send[4]:raise=TimeoutError@1")
    await faults.reach("casekeeper.before_send", 3)
    await faults.reach("casekeeper.before_send")
    with pytest.raises(TimeoutError):
        await faults.reach("casekeeper.before_send", 4)


async def test_equal_seeds_strike_at_the_same_times() -> None:
    """Probabilities come from the seed, so that a run can be repeated; another seed strikes elsewhere."""

    async def struck(seed: int) -> list[int]:
        faults = FaultPoints.from_text(f"publisher.send:raise=TimeoutError%0.3;seed:{seed}")
        times = []
        for number in range(50):
            try:
                await faults.reach("publisher.send")
            except TimeoutError:
                times.append(number)
        return times

    assert await struck(7) == await struck(7)
    assert 0 < len(await struck(7)) < 50
    assert await struck(7) != await struck(8)


async def test_a_delay_lets_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delay waits its seconds in the event loop, it does not block the process."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await FaultPoints.from_text("casekeeper.before_send:delay=0.5@1").reach("casekeeper.before_send")
    assert waited == [0.5]


def test_kill_ends_the_process_at_once_and_says_so_first() -> None:
    """SIGKILL comes from the point itself, and the log names the point for those who count."""
    code = (
        "import asyncio, logging; logging.basicConfig()\n"
        "from streams.fault_points import FaultPoints\n"
        "asyncio.run(FaultPoints.from_text('state.load:kill').reach('state.load')); print('survived')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert "fault injected: kill state.load" in done.stderr
    assert "survived" not in done.stdout


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("casekeeper.after_efects:kill", "no such point"),
        ("casekeeper.after_effects", "POINT:ACTION"),
        ("casekeeper.after_effects:burn", "POINT:ACTION"),
        ("casekeeper.after_effects:delay", "delay needs"),
        ("casekeeper.after_effects:kill=3", "delay needs"),
        ("casekeeper.after_effects:delay=soon", "no number of seconds"),
        ("publisher.send:raise=NoSuchError", "NoSuchError"),
        ("publisher.send:raise=UndeliverableError", "UndeliverableError"),
        ("publisher.send:raise=SystemExit", "SystemExit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_entry(text: str, part: str) -> None:
    """A mistyped fault must not silently test nothing."""
    with pytest.raises(FaultTextError, match=part) as caught:
        FaultPoints.from_text(f"state.load:kill@1; {text}")
    assert text in str(caught.value)


def test_settings_arm_the_faults_and_refuse_what_cannot_be_read() -> None:
    """HX_FAULTS reaches the fault points; a mistake in it names the variable."""
    assert Settings.load({"HX_FAULTS": "state.load:kill@1"}).make_fault_points().is_armed
    assert not Settings.load({}).make_fault_points().is_armed
    with pytest.raises(SettingsError, match=r"HX_FAULTS.*state\.lod"):
        Settings.load({"HX_FAULTS": "state.lod:kill"})


def test_production_refuses_every_fault() -> None:
    """The switch that breaks workers on purpose cannot be turned on in production."""
    own = {"HX_ENVIRONMENT": "production", "HX_DIRECTORY_TRUST": "trust.json"}
    assert not Settings.load(own).make_fault_points().is_armed
    with pytest.raises(SettingsError, match="HX_FAULTS"):
        Settings.load({**own, "HX_FAULTS": "publisher.send:delay=1"})


def test_a_worker_told_to_inject_faults_in_production_ends_with_78(tmp_path: pytest.TempPathFactory) -> None:
    """The process itself refuses, with the code that tells an orchestrator not to restart it."""
    environment = {
        "HX_ENVIRONMENT": "production",
        "HX_DIRECTORY_TRUST": "trust.json",
        "HX_FAULTS": "publisher.send:delay=1",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "operations.command_line", "worker", "all"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78, done.stderr
    assert "HX_FAULTS" in done.stderr
