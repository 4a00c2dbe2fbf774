"""How a member takes part: submit reports and actions, wait for receipts, read inboxes in order of urgency.

Connectors, the simulator and the command line all use this client, so that ids, placing, order, duplicates
and positions are done in one way. It runs at the member, with the member's keys.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self

from casework.directory import ORPHAN_DESK, Directory
from casework.errors import BadInputError, TemporaryError
from casework.messages import Delivery, Receipt
from connectors.case_parties import CaseParties
from connectors.connection import Connection
from connectors.delivery_order import Gap
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import AccessDeniedError, ClientError, MisuseError, ReportRefusedError
from connectors.inbox_book import InboxBook, Provenance
from connectors.inbox_messages import InboxMessage
from connectors.inbox_reader import InboxReader
from connectors.kafka_errors import translated
from connectors.limits import ClientLimits
from connectors.membership import Membership, event_id_at, positions_file
from connectors.opening import Opener
from connectors.positions import Positions, SqlitePositions
from connectors.preparing import Prepared
from connectors.receipt_watch import ReceiptWatch
from connectors.rewrapping import build_rewrap, is_request
from connectors.sending import Submitted
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.read_marks import reader_group
from streams.settings import Settings
from streams.topics import Topics

log = logging.getLogger(__name__)

__all__ = ["DirectoryAt", "MemberClient", "Membership"]

_AGAIN_S: Final = 2.0

DirectoryAt = Callable[[int], Directory]
"""Answers the directory valid at a time of the exchange's clock, in milliseconds since the epoch, UTC."""


class MemberClient:
    """A member's connection to the exchange; use it as an asynchronous context manager.

    Args:
        membership: Who and where.
        clock: The exchange's clock.
        positions: Where the reading position is remembered; the caller closes it.
        directory: Answers the directory; None follows the directory topic.
        new_id: Makes event ids for a time; a simulator gives one that its seed decides.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        clock: Clock,
        positions: Positions,
        directory: DirectoryAt | None = None,
        new_id: Callable[[int], str] = event_id_at,
    ) -> None:
        self.membership = membership
        self.topics = Topics(membership.topic_prefix)
        self._clock = clock
        self._positions = positions
        self._directory_at = directory
        self._new_id = new_id
        self._stack = AsyncExitStack()
        self._connection = Connection(lambda: self.membership, self.topics, lambda: self.directory)
        self._readers: dict[tuple[str, ...], InboxReader] = {}
        self._watch = ReceiptWatch(
            topics=self._inbox_topics(membership.member),
            kafka=membership.kafka,
            fetch_wait_ms=membership.limits.fetch_wait_ms,
            partitions_of=self._connection.partitions_of,
            directory=lambda: self.directory,
            prefix=membership.topic_prefix,
        )
        self._opener = Opener(membership.keys, membership.network_keys, lambda: self.directory)
        self._parties = CaseParties(membership.member)
        self._sent_at: dict[str, int] = {}
        self._answered: dict[str, Receipt] = {}

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        member: str,
        *,
        positions: Positions | None = None,
        directory: DirectoryAt | None = None,
        limits: ClientLimits | None = None,
    ) -> Self:
        """Make the client of a member from a process's settings.

        Without `positions` they are kept in `<data_dir>/positions/<prefix><member>.db`.
        """
        membership = Membership.from_settings(settings, member, limits)
        clock = settings.make_clock()
        if positions is not None:
            return cls(membership, clock=clock, positions=positions, directory=directory)
        own = SqlitePositions(positions_file(settings, member))
        client = cls(membership, clock=clock, positions=own, directory=directory)
        client._stack.callback(own.close)
        return client

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.forget()
        await self._stack.aclose()

    @property
    def directory(self) -> Directory:
        """The directory valid now.

        Raises:
            NoDirectoryError: None is valid now.
        """
        assert self._directory_at is not None, "set when the client starts"  # noqa: S101 - for the type checker
        return self._directory_at(self._clock.now_ms())

    def prepare(self, draft: ReportDraft | ActionDraft) -> Prepared:
        """Check a draft by the rules of the exchange and make its submission; nothing is sent.

        Raises:
            DraftRefusedError: The draft breaks rules; field and rule are named.
        """
        if isinstance(draft, ActionDraft):
            draft = self._parties.complete(draft)
        return self.membership.prepare(draft, self.directory, self._clock, self._new_id)

    def prepare_rewrap(self, request: Delivery) -> Prepared:
        """Make the answer to a delivery of the kind `rewrap_request`; nothing is sent.

        Raises:
            UnprovenMessageError: Nothing proves that the report is its origin's.
            UnreadableContentError: The member's ring does not open the content.
            SealError: There is no ring, or those responsible have no key to seal to.
        """
        sender = self.membership.sender(self.directory, self._new_id)
        admission = self.membership.admission(self.directory, self._clock)
        return build_rewrap(request, self._opener, sender, admission)

    async def submit(self, draft: ReportDraft) -> Submitted:
        """Send a report; it is in Kafka when this returns, and its receipt follows through the inbox.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
        """
        return await self.send(self.prepare(draft))

    async def act(self, draft: ActionDraft) -> Submitted:
        """Send an action; one that names a report of this client is sent after that report's receipt.

        Raises:
            DraftRefusedError: The draft breaks rules; nothing was sent.
            ReportRefusedError: The report it names was refused; nothing was sent.
            NoReceiptError: The report it names has no receipt yet; nothing was sent.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
        """
        return await self.send(self.prepare(draft))

    async def send(self, prepared: Prepared) -> Submitted:
        """Send what `prepare` made, or what a NotConfirmedError gave back; sent twice it counts once.

        Raises:
            NotConfirmedError: Kafka did not confirm in time.
            ReportRefusedError: The report that an action names was refused.
            NoReceiptError: The report that an action names has no receipt yet.
        """
        self._connection.require_open()
        if prepared.after in self._sent_at:
            receipt = await self.wait_for_receipt(prepared.after, self.membership.limits.receipt_timeout_s)
            if receipt.outcome not in {"accepted", "duplicate"}:
                raise ReportRefusedError(receipt)
        submitted = await self._connection.send(prepared)
        self._remember(self._sent_at, prepared.event_id, submitted.timestamp)
        return submitted

    async def rewrap(self, request: Delivery) -> Submitted:
        """Answer a delivery of the kind `rewrap_request`; the readers of this client do so by themselves.

        Raises:
            UnprovenMessageError: Nothing proves that the report is its origin's.
            UnreadableContentError: The member's ring does not open the content.
            SealError: There is no ring, or those responsible have no key to seal to.
            NotConfirmedError: Kafka did not confirm; send its `prepared` again.
        """
        return await self.send(self.prepare_rewrap(request))

    async def _look_first(self, message: InboxMessage) -> None:
        """Take from a message what the client needs before the program sees it."""
        if isinstance(message.body, Delivery):
            self._parties.note(message.body)
        if self.membership.limits.rewraps:
            await self._answer_request(message)

    async def _answer_request(self, message: InboxMessage) -> None:
        """Answer a request before the program sees it, so that it is not done before it is answered."""
        if not isinstance(message.body, Delivery) or not is_request(message.body):
            return
        while True:
            try:
                await self.rewrap(message.body)
            except TemporaryError as error:
                # Without a broker there is nothing else to read either.
                log.warning("%r is not answered yet: %s", message, type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
            except (ClientError, BadInputError) as error:
                log.error("%r cannot be answered, its content stays as it is: %s", message, error)  # noqa: TRY400 - the text says it all
                return
            else:
                return

    async def wait_for_receipt(self, event_id: str, timeout_s: float = 30.0) -> Receipt:
        """Answer the exchange's answer to a submission of this client; reading the inbox goes on beside it.

        Raises:
            NoReceiptError: None came in time.
            MisuseError: This client did not send it, or more than `limits.receipt_memory` others since.
        """
        self._connection.require_open()
        if event_id not in self._answered:
            since_ms = self._sent_at.get(event_id)
            if since_ms is None:
                raise MisuseError(f"{event_id} was not sent by this client: read its receipt from the inbox")
            receipt = await self._watch.wait(event_id, since_ms, timeout_s)
            self._remember(self._answered, event_id, receipt)
        return self._answered[event_id]

    def inbox(self) -> InboxReader:
        """Read the member's inbox, urgent messages first; see `InboxReader` for the reader's duties."""
        return self._reader(*self._inbox_topics(self.membership.member))

    def desk(self) -> InboxReader:
        """Read the orphan desk, for hotlines with the mandate `orphans`.

        Raises:
            AccessDeniedError: The directory gives this member no such mandate.
        """
        if "orphans" not in self.membership.entry_in(self.directory).mandates:
            raise AccessDeniedError(f"{self.membership.member} has no mandate for the orphan desk")
        return self._reader(*self._inbox_topics(ORPHAN_DESK))

    def escalations(self, *codes: str) -> InboxReader:
        """Read escalations to police liaisons: of countries, `interpol` or `europol`."""
        if not codes:
            raise MisuseError("escalations: name at least one country, interpol or europol")
        return self._reader(*(self.topics.escalations(code) for code in codes))

    def feed(self) -> InboxReader:
        """Read this liaison's feed: what it subscribed to, and the daily digest of overdue providers.

        Raises:
            AccessDeniedError: The directory names this member as no police liaison.
        """
        if self.membership.entry_in(self.directory).liaison is None:
            raise AccessDeniedError(f"{self.membership.member} is no police liaison and has no feed")
        return self._reader(self.topics.feed(self.membership.member))

    def gaps(self) -> tuple[Gap, ...]:
        """Answer which deliveries are missing, the oldest gap first: case, recipient, numbers, since when."""
        found = [gap for reader in self._readers.values() for gap in reader.gaps()]
        return tuple(sorted(found, key=lambda gap: gap.since_ms))

    async def _start(self) -> None:
        limits = self.membership.limits
        await self._connection.open()
        self._stack.push_async_callback(self._connection.producer.stop)
        if self._directory_at is None:
            feed = DirectoryFeed(
                self.membership.kafka,
                self.topics.directory,
                self.membership.environment,
                clock=self._clock,
                anchor=self.membership.anchor,
                memory=self.membership.memory,
            )
            with translated(self.topics.directory):
                async with asyncio.timeout(limits.start_timeout_s):
                    self._directory_at = (await self._stack.enter_async_context(feed)).latest
        self.membership.entry_in(self.directory)
        self._stack.push_async_callback(self._watch.close)

    def _inbox_topics(self, member: str) -> tuple[str, str]:
        return (self.topics.inbox_urgent(member), self.topics.inbox(member))

    def _reader(self, *topics: str) -> InboxReader:
        self._connection.require_open()
        if topics not in self._readers:
            limits = self.membership.limits
            reader = InboxReader(
                topics=topics,
                group=reader_group(self.membership.topic_prefix, self.membership.member),
                kafka=self.membership.kafka,
                book=InboxBook(
                    topics,
                    self._positions,
                    self._clock,
                    self.membership.environment,
                    limits.hold,
                    provenance=Provenance(lambda: self.directory, self.membership.topic_prefix, self._opener),
                ),
                positions=self._positions,
                clock=self._clock,
                limits=limits,
                partitions_of=self._connection.partitions_of,
                before=self._look_first,
            )
            self._readers[topics] = reader
            self._stack.push_async_callback(reader.close)
        return self._readers[topics]

    def _remember(self, memory: dict[str, Any], event_id: str, value: object) -> None:
        memory.setdefault(event_id, value)
        if len(memory) > self.membership.limits.receipt_memory:
            del memory[next(iter(memory))]
