"""A crash between contents and states: records are decided again over contents that are further already."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from casekeeper_bench import KEY, STATUS, Bench, CrashError, T, admitted
from long_story import DIRECTORIES, TOPICS, Told
from msgspec.structs import replace
from sealed_samples import sealed_for

from casework.ids import new_event_id
from casework.messages import ActionStatement, Delivery, Escalation, ReportStatement
from casework.public_keys import to_text
from casework.sealed_content import SealedContent, to_bytes
from streams import wire
from streams.publishing import Outgoing
from streams.state_stores import DictStore

pytestmark = pytest.mark.slow

_ROUNDS_A_BATCH: Final = 3


class _State:
    """States of partitions that are loaded."""

    def __init__(self) -> None:
        self.stores: defaultdict[int, DictStore] = defaultdict(DictStore)

    async def get(self, partition: int) -> DictStore:
        return self.stores[partition]

    @contextmanager
    def writing(self, _partition: int) -> Iterator[None]:
        yield

    def deleted(self, _partition: int, _versions: dict[bytes, int]) -> None:
        pass


class Crashing(Told):
    """Tells the story in larger batches, each of them twice: the first time the states are lost.

    Attributes:
        told_again: How many records were sent twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.states, self.contents = _State(), _State()
        self.way.casekeeper.attach(self.states, self.contents)  # type: ignore[arg-type]
        self.told_again = 0
        self._waiting: list[tuple[str, int, bytes, bytes]] = []
        self._rounds = 0

    async def _hand(self, agent: Any, sent: list[tuple[str, int, bytes, bytes]]) -> None:  # noqa: ANN401 - either agent
        if agent is not self.way.casekeeper:
            await super()._hand(agent, sent)
            return
        self._waiting += sent
        self._rounds += 1
        if self._rounds % _ROUNDS_A_BATCH:
            return
        before = {number: dict(store.items()) for number, store in self.states.stores.items()}
        offsets = self.offsets.copy()
        await super()._hand(agent, self._waiting)
        first = self.way.took()
        self.states.stores.clear()
        for number, states in before.items():
            self.states.stores[number].write(states)
        self.offsets = offsets
        await super()._hand(agent, self._waiting)
        self._compare(first, self.way.taker.taken)
        self._waiting = []

    def _compare(self, first: list[Outgoing], again: list[Outgoing]) -> None:
        one, other = ([out for out in sent if out.topic != TOPICS.cases_contents] for sent in (first, again))
        assert [(out.topic, out.key) for out in one] == [(out.topic, out.key) for out in other]
        for mine, its in zip(one, other, strict=True):
            self.told_again += 1
            if mine.value != its.value:
                assert _bare(mine.value) == _bare(its.value)
                assert wire.decode(its.value).content is None or wire.decode(its.value).credentials is None  # type: ignore[attr-defined, arg-type] # messages


def _bare(framed: bytes | None) -> Any:  # noqa: ANN401 - a message
    message = wire.decode(framed or b"")
    assert isinstance(message, Delivery | Escalation)
    return replace(message, content=None, credentials=None, statement=None, signature=None, key_id=None)


def test_what_was_told_is_told_again_to_the_byte_over_contents_that_are_ahead() -> None:
    """All facts and messages of a batch are the same the second time, but for contents that it erased."""
    story = Crashing()
    asyncio.run(story.tell())
    assert story.told_again > 5_000


def sealed(readers: tuple[str, ...], wrapped_by: str) -> SealedContent:
    """Answer the content of the one report here; what a member wraps itself differs from another's."""
    found = sealed_for(readers, b"a report")
    key = to_text(wrapped_by.encode().ljust(72))
    return replace(found, recipients=tuple(replace(one, encrypted_key=key) for one in found.recipients))


def statement_of(number: int, sender: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a statement
    """Answer the fields that a report and an action share."""
    return {
        "event_id": new_event_id(T, bytes(8) + number.to_bytes(2, "big")), "environment": "test",
        "sender": sender, "url_key": KEY, "hosting_country": "NL", "sent_at": T, "directory_version": 1,
        "occurred_at": T, **fields,
    }  # fmt: skip


async def test_a_rewrap_is_told_as_it_came_though_later_ones_are_stored_already(bench: Bench) -> None:
    """The process dies after a move and the re-wraps of two holders: each is handed on as the first time."""
    bench.directory = DIRECTORIES[1]
    first = sealed(("gb-one", "nl-one"), "gb-one")
    as_report = {"content_protection": "jwe", "content_digest": first.digest}
    opened = statement_of(1, "gb-one", received_at=T, reference="r", content_type="media", **as_report)
    await bench.take(admitted(ReportStatement(**opened), to_bytes(first)))
    case = bench.case()
    assert case is not None
    told: dict[str, Any] = {"case_id": case.case_id}
    moved = statement_of(2, "nl-one", action="moved", new_hosting_country="IE", observed_at=T, **told)
    batch = [admitted(ActionStatement(**moved), None)]
    for number, holder in ((3, "nl-one"), (4, "gb-one")):
        again = statement_of(number, holder, action="rewrap", report_event_id=opened["event_id"])
        wrapped = to_bytes(sealed(("gb-one", "nl-one", "ie-one"), holder))
        batch.append(admitted(ActionStatement(**again, **told, **as_report), wrapped))
    bench.die_before, bench.sent, offset = STATUS, [], bench.offset
    with pytest.raises(CrashError):
        await bench.take(*batch)
    (before,) = bench.sent
    bench.contents.write({out.key: out.value for out in before if out.topic == TOPICS.cases_contents})
    bench.die_before, bench.sent, bench.offset = "", [], offset
    await bench.take(*batch)
    assert bench.sent[0] == before
    contents = [d.content for d in bench.messages(Delivery) if d.recipient == "ie-one" and d.content]
    assert len(set(contents)) == len(contents) == 3
