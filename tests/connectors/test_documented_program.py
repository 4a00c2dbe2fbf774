import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from casework.messages import Delivery, Receipt
from connectors.drafts import ReportDraft, check_types, milliseconds
from connectors.errors import DraftRefusedError, NotConfirmedError
from connectors.inbox_messages import Body, InboxMessage, Unreadable
from connectors.opening import Opener
from connectors.preparing import Prepared

OPENER = Opener(None, None, NotImplemented)
PAGE = Path(__file__).parents[2] / "docs" / "for-hotline-engineers.md"


def programs() -> list[dict[str, Any]]:
    """Run the page's programs up to their definitions and return their names."""
    found = []
    for source in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        names: dict[str, Any] = {}
        exec(compile(source, str(PAGE), "exec"), names)  # noqa: S102 - the program that readers copy
        found.append(names)
    return found


class OwnSystem:
    """A case system that writes down what the documented program asks of it."""

    def __init__(self, drafts: list[ReportDraft]) -> None:
        self._drafts = drafts
        self.calls: list[tuple[object, ...]] = []

    async def released(self) -> AsyncIterator[ReportDraft]:
        """Give the drafts."""
        for draft in self._drafts:
            yield draft

    def __getattr__(self, name: str) -> Callable[..., str]:
        def note(*values: object) -> str:
            self.calls.append((name, *values))
            return "own-1"

        return note


class Client:
    """The member's client as far as the page uses it; its first send is not confirmed."""

    def __init__(self, bodies: list[Body]) -> None:
        self._bodies = bodies
        self.sent: list[Any] = []
        self.acted: list[Any] = []
        self.done: list[Body] = []

    def prepare(self, draft: ReportDraft) -> Any:  # noqa: ANN401 - stands for what is prepared
        """Refuse a draft without reference."""
        if not draft.reference:
            raise DraftRefusedError([])
        return type("Prepared", (), {"event_id": draft.reference})()

    async def send(self, prepared: Prepared) -> None:
        """Fail once."""
        self.sent.append(prepared)
        if len(self.sent) == 1:
            raise NotConfirmedError("x", prepared)

    async def act(self, draft: object) -> None:
        """Write down an action."""
        self.acted.append(draft)

    async def inbox(self) -> AsyncIterator[InboxMessage]:
        """Give the messages."""
        for body in self._bodies:
            yield InboxMessage(body, ("t", 0, 0), 0, lambda message: self.done.append(message.body), OPENER)


async def test_the_documented_program_does_what_the_page_says(
    monkeypatch: pytest.MonkeyPatch, delivery: Callable[..., Delivery], receipt: Callable[..., Receipt]
) -> None:
    """It sends again what was not confirmed, acknowledges an assignment, and finishes every message."""
    bodies: list[Body] = [receipt("e"), delivery(1), delivery(2, kind="update"), Unreadable("x", b"")]
    drafts = [
        ReportDraft(url="", hosting_country="NL", received_at=1, reference=reference, content_type="media")
        for reference in ("", "r-1")
    ]
    client, system = Client(bodies), OwnSystem(drafts)
    program = programs()[1]

    async def at_once(_seconds: float) -> None:
        """Wait for nothing."""

    monkeypatch.setattr(asyncio, "sleep", at_once)
    await program["report_all"](client, system)
    await program["read_all"](client, system)
    assert len(client.sent) == 2
    assert client.sent[0] is client.sent[1]
    assert [call[0] for call in system.calls] == [
        "correct", "sending", "answered", "new_case", "update", "keep_for_a_person",
    ]  # fmt: skip
    assert client.acted[0].reference == "own-1"
    assert client.done == bodies


def test_the_page_names_nothing_that_is_not_there() -> None:
    """Every field in the table of columns is a field of a report, and every field of a report is in it."""
    table = PAGE.read_text().split("| column of a report |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.count("|") > 1]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(ReportDraft.__struct_fields__) - {"labels"}
    assert callable(programs()[0]["report_one"])


def test_the_documented_draft_is_one_that_the_client_takes() -> None:
    """What the page builds has the types of its fields, times with a zone included."""
    draft = programs()[0]["draft"]
    check_types(draft)
    assert milliseconds(draft.received_at) == 1_768_206_660_000
