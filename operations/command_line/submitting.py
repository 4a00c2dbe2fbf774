"""What `hx submit` and `hx act` share: from the lines of a file to receipts, or only to a check."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from casework.directory import Directory
from casework.messages import Receipt
from connectors.client import MemberClient
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import NoReceiptError, ReportRefusedError, StaleDirectoryError
from connectors.membership import Membership
from connectors.positions import MemoryPositions
from connectors.preparing import Prepared
from operations.command_line.exits import Exit, leave
from operations.command_line.keepers import of_receipt, place_of
from operations.command_line.line_order import LineOrder, Telling
from operations.command_line.naming import check_sender, naming
from operations.command_line.output import AsJson, print_json
from operations.command_line.rewrap_requests import RewrapRequests, check_form, is_rewrap
from operations.command_line.session import Session
from operations.files import Counts, Line, Problem, Ready, prepared_lines
from operations.setting_up import read_directory

DEMO_MEMBER: Final = "ie-hotline"
_IN_FLIGHT: Final = 200

Draft = TypeVar("Draft", ReportDraft, ActionDraft)

File = Annotated[Path, typer.Argument(help="CSV (.csv) or JSON lines (.jsonl, .ndjson).")]
As = Annotated[
    str | None, typer.Option("--as", help=f"Member id of the sender; in the demo {DEMO_MEMBER} if not given.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Only validate; nothing is sent and no Kafka is needed.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipts.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for a receipt.")]
__all__ = ["As", "AsJson", "Check", "File", "Submission", "Timeout", "Wait"]


class Submission:
    """One call of `hx submit` or `hx act`.

    Args:
        session: The session.
        member: Member id of the sender, or None.
        as_json: Whether to print JSON.
    """

    def __init__(self, session: Session, member: str | None, *, as_json: bool) -> None:
        self._session = session
        self._as_json = as_json
        self._counts = Counts()
        self._refused = 0
        self._unanswered = 0
        self._wait = False
        self.member = self._sender(member)

    def _sender(self, member: str | None) -> str:
        if member is not None:
            return member
        if self._session.settings.environment != "demo":
            leave(Exit.USAGE, "name the sender with --as MEMBER")
        if not self._as_json:
            print(f"as {DEMO_MEMBER}; --as names another member")
        return DEMO_MEMBER

    def check(self, lines: Iterable[Line[Draft] | Problem]) -> None:
        """Validate every line against the directory file and end with an exit code."""
        settings = self._session.settings
        directory = read_directory(settings, self._session.clock.now_ms())
        check_sender(self.member, directory)
        membership = Membership(
            member=self.member,
            environment=settings.environment,
            network_key=settings.network_key,
            kafka={"bootstrap_servers": settings.bootstrap},
            topic_prefix=settings.topic_prefix,
        )
        client = MemberClient(
            membership,
            clock=self._session.clock,
            positions=MemoryPositions(),
            directory=lambda _now: directory,
        )
        for item in prepared_lines(lines, partial(_checked, client)):
            self._counts.see(item)
            if isinstance(item, Problem):
                self._tell_problem(item)
        if not self._as_json:
            print(f"{self._counts.good} good, {self._counts.bad} bad, nothing sent")
        self._end()

    def send(self, lines: Iterable[Line[Draft] | Problem], *, wait: bool, timeout_s: float) -> None:
        """Send every good line, tell its receipt, and end with an exit code."""
        self._session.require_kafka()
        self._wait = wait
        asyncio.run(self._send(lines, wait=wait, timeout_s=timeout_s))
        if not self._as_json:
            waited = f", {self._refused} not accepted, {self._unanswered} without receipt" if wait else ""
            print(f"{self._counts.good} sent, {self._counts.bad} bad lines{waited}")
        self._end()

    async def _send(self, lines: Iterable[Line[Draft] | Problem], *, wait: bool, timeout_s: float) -> None:
        with naming(self._session, self.member):
            client = MemberClient.from_settings(
                self._session.settings, self.member, positions=MemoryPositions()
            )
        try:
            async with client:
                check_sender(self.member, client.directory)
                await self._send_with(client, lines, timeout_s if wait else None)
        except StaleDirectoryError:
            check_sender(self.member, client.directory)
            raise

    async def _send_with(
        self, client: MemberClient, lines: Iterable[Line[Draft] | Problem], timeout_s: float | None
    ) -> None:
        answers = LineOrder(_IN_FLIGHT)
        requests = RewrapRequests(self._session, self.member)
        for item in prepared_lines(lines, partial(_prepared, client, requests)):
            self._counts.see(item)
            place = f"{item.file}:{item.line}"
            if isinstance(item, Problem):
                await answers.add(place, partial(self._tell_problem, item))
                continue
            try:
                await client.send(item.prepared)
            except (ReportRefusedError, NoReceiptError) as error:
                self._unanswered += 1
                await answers.add(place, partial(self._tell_unsent, item, error))
                continue
            if timeout_s is None:
                await answers.add(place, partial(self._tell, item, None, client.directory))
            else:
                await answers.add(place, asyncio.create_task(self._receipt(client, item, timeout_s)))
        await answers.finish()

    async def _receipt(self, client: MemberClient, item: Ready, timeout_s: float) -> Telling:
        try:
            receipt = await client.wait_for_receipt(item.prepared.event_id, timeout_s)
        except NoReceiptError:
            self._unanswered += 1
            return partial(self._tell, item, None, client.directory)
        if receipt.outcome not in {"accepted", "duplicate"}:
            self._refused += 1
        return partial(self._tell, item, receipt, client.directory)

    def _tell_problem(self, problem: Problem) -> None:
        if self._as_json:
            print_json({"file": problem.file, "line": problem.line, "violation": problem.violation})
        else:
            print(problem)

    def _tell_unsent(self, item: Ready, error: Exception) -> None:
        if self._as_json:
            line = {"file": item.file, "line": item.line, "event_id": item.prepared.event_id}
            print_json({**line, "not_sent": str(error)})
        else:
            print(f"{item.file}:{item.line}: not sent: {error}")

    def _tell(self, item: Ready, receipt: Receipt | None, directory: Directory) -> None:
        event_id = item.prepared.event_id
        if self._as_json:
            print_json({"file": item.file, "line": item.line, "event_id": event_id, "receipt": receipt})
            return
        if receipt is None:
            print(f"{item.file}:{item.line}: sent {event_id}{self._waits(item)}", flush=True)
            return
        where = place_of(receipt, of_receipt(receipt, directory)) if receipt.case_id else ""
        number = f", fact {receipt.fact_number}" if _has_fact(item, receipt) else ""
        print(f"{item.file}:{item.line}: {receipt.outcome}{why(receipt)}{where}{number}", flush=True)

    def _waits(self, item: Ready) -> str:
        """Answer what an action without an answer may be waiting for; nothing of what was not waited for."""
        if not self._wait or item.prepared.kind != "action":
            return ""
        return (
            ", no answer yet: where the exchange has no case of this address, it waits up to an hour for its"
            " report, then is refused (unknown_case)"
        )

    def _end(self) -> None:
        if self._counts.bad:
            raise typer.Exit(Exit.USAGE)
        if self._refused:
            raise typer.Exit(Exit.NO)
        if self._unanswered:
            leave(Exit.UNAVAILABLE, "not every submission has its receipt yet: is a worker running?")


def _checked(client: MemberClient, draft: ReportDraft | ActionDraft) -> Prepared:
    """Answer what a draft would be sent as, without what only Kafka holds."""
    return check_form(client, draft) if is_rewrap(draft) else client.prepare(draft)


def _prepared(client: MemberClient, requests: RewrapRequests, draft: ReportDraft | ActionDraft) -> Prepared:
    """Answer what is sent: of a re-wrap, the answer to its request."""
    return requests.answer(client, draft) if is_rewrap(draft) else client.prepare(draft)


def _has_fact(item: Ready, receipt: Receipt) -> bool:
    """Answer whether to tell the number by which an action is corrected or confirmed later."""
    accepted = receipt.outcome == "accepted" and receipt.fact_number is not None
    return accepted and item.prepared.kind == "action"


def why(receipt: Receipt) -> str:
    """Answer why a submission was not accepted, which names field and rule where there is a text."""
    if not receipt.rule:
        return ""
    if not receipt.message:
        return f" {receipt.field}: ({receipt.rule})"
    if receipt.message.startswith(f"{receipt.field}: "):
        return f" {receipt.message}"
    return f" {receipt.field}: {receipt.message.rstrip('.')} ({receipt.rule})"


def run(
    submission: Submission,
    read: Callable[[Path], Iterable[Line[Draft] | Problem]],
    file: Path,
    *,
    check: bool,
    wait: bool,
    timeout_s: float,
) -> None:
    """Check or send a file."""
    send_or_check(submission, read(file), check=check, wait=wait, timeout_s=timeout_s)


def send_or_check(
    submission: Submission,
    lines: Iterable[Line[Draft] | Problem],
    *,
    check: bool,
    wait: bool,
    timeout_s: float,
) -> None:
    """Check or send what lines say."""
    if check:
        submission.check(lines)
    else:
        submission.send(lines, wait=wait, timeout_s=timeout_s)
