import asyncio
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.loaded_first import LoadedFirst
from streams.transport_errors import PartitionRevokedError


class Lanes:
    """Lanes that only remember what they were handed."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def submit(self, event: Any) -> None:  # noqa: ANN401 - a Faust event
        """Remember a batch."""
        self.got.append(event.value)


class State:
    """A state whose partitions load when a test says so."""

    def __init__(self, *loading: int) -> None:
        self._futures = {p: asyncio.get_running_loop().create_future() for p in loading}

    @property
    def loading(self) -> frozenset[int]:
        """Partitions that are not loaded."""
        return frozenset(p for p, future in self._futures.items() if not future.done())

    async def get(self, partition: int) -> None:
        """Wait for a partition."""
        if partition in self._futures:
            await self._futures[partition]

    def finish(self, partition: int, error: Exception | None = None) -> None:
        """Let a load end."""
        future = self._futures[partition]
        future.set_result(None) if error is None else future.set_exception(error)


def batch(value: str, partition: int) -> Any:  # noqa: ANN401 - a Faust event
    """Answer a batch event."""
    return SimpleNamespace(value=value, message=SimpleNamespace(tp=TP("source", partition)))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_loading_partition_holds_up_no_other_and_keeps_its_order() -> None:
    """What is loaded is worked on at once; the rest follows in its order when all its states are there."""
    lanes, one, other = Lanes(), State(1), State(1)
    gate = LoadedFirst(lanes, one, other)  # type: ignore[arg-type]
    for event in (batch("1a", 1), batch("2a", 2), batch("1b", 1)):
        gate.submit(event)
    await _settle()
    assert lanes.got == ["2a"]
    one.finish(1)
    await _settle()
    assert lanes.got == ["2a"]
    other.finish(1)
    await _settle()
    gate.submit(batch("1c", 1))
    assert lanes.got == ["2a", "1a", "1b", "1c"]


async def test_what_is_revoked_while_it_loads_is_given_back_by_the_lanes() -> None:
    """A batch that nobody gives back would hold up the next stop for its whole bound."""
    lanes, state = Lanes(), State(1)
    gate = LoadedFirst(lanes, state)  # type: ignore[arg-type]
    gate.submit(batch("1a", 1))
    state.finish(1, PartitionRevokedError("source.state[1]"))
    await _settle()
    assert lanes.got == ["1a"]
