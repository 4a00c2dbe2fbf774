"""What must hold for an exchange after whatever happened to it, as one pure function over its logs.

`check(history)` is used by the chaos suite, the demo and `hx reconcile`. The history is what an independent
consumer read (`read_history`) and what the sending and reading clients noted; nothing a worker says counts.

The invariants, and the name under which a breach is reported:

1. Nothing is lost (`lost`): all that `operations.losses` names, by id.
2. Every effect is there at least once, and after de-duplication by id exactly once with identical bytes
   (`effect_*`, `fact_*`, `content_*`, `admission_*`, and `conflict` of accounting). What the bytes must be
   comes from deciding again: submissions as intake judges them, admitted records as casekeeper decides them.
3. Order per case: facts first appear in the order of their numbers without a gap (`fact_order`, `fact_gap`),
   deliveries of a case to a recipient in the order of theirs, in each partition (`delivery_order`).
4. No two workers interleave for one case. Facts never first appear for an admitted record before one that a
   fact of the case was decided on already (`source_backwards`; the records of a parked case keep their places
   and are exempt). A state record may be older than one before it only as the late write of a worker that
   lost its partition: even then it must be exactly the state after the record it names (`state_altered`), and
   the owner must have written its newest again behind it (`state_not_newest`).
5. State equals replay: the newest state of each case is byte for byte the one that its facts make
   (`state_differs`, `state_missing`, `state_unknown`).

Call it when the exchange is still: all groups have committed to the ends of what they read. Where wake-ups
may still come (the demo's clock does not stop), say how far casekeeper has committed; the rest is under way.
"""

from collections.abc import Collection, Mapping

import msgspec

from operations.accounting import Account, account
from operations.books import read_books
from operations.logs import ExchangeClock, Log, MemoryLog, inboxes, police
from operations.reading import TopicReader
from operations.verification.run import Scope, Verification, verify
from streams.topics import Topics


class History(msgspec.Struct, frozen=True):
    """Everything that happened.

    Attributes:
        log: All topics of the exchange.
        topics: Their names.
        environment: Environment of the exchange.
        clock: The exchange's clock, as intake stamps by it.
        confirmed: Event ids whose senders have the broker's confirmation.
        read: For each member that read its inbox to the end, the delivery ids it got.
        decided_to: Offset that casekeeper has committed, by partition of cases.admitted; None: everything.
        narrow: Topics that for a while took only batches of so many bytes.
    """

    log: Log
    topics: Topics
    environment: str
    clock: ExchangeClock
    confirmed: Collection[str] = ()
    read: Mapping[str, Collection[str]] = msgspec.field(default_factory=dict)
    decided_to: Mapping[int, int] | None = None
    narrow: Mapping[str, int] = msgspec.field(default_factory=dict)


class Violation(msgspec.Struct, frozen=True, order=True):
    """A breach of an invariant.

    Attributes:
        rule: Its name: lost, conflict, or a rule of `operations.verification.findings`.
        id: What it is about: case, message, submission or place.
        text: In words; never a value of a submission.
    """

    rule: str
    id: str
    text: str


class Checked(msgspec.Struct, frozen=True):
    """The outcome.

    Attributes:
        violations: What is broken, sorted; empty is what must come out.
        account: What was counted by id.
        verification: What was decided again.
    """

    violations: tuple[Violation, ...]
    account: Account
    verification: Verification


def read_history(  # noqa: PLR0913 - what a history is made of
    reader: TopicReader,
    topics: Topics,
    *,
    environment: str,
    clock: ExchangeClock,
    confirmed: Collection[str] = (),
    read: Mapping[str, Collection[str]] | None = None,
    decided_to: Mapping[int, int] | None = None,
) -> History:
    """Read all topics of an exchange into memory, so that what is checked does not change meanwhile.

    Args:
        reader: An independent reader.
        topics: Names of the topics.
        environment: Environment of the exchange.
        clock: The exchange's clock.
        confirmed: As in `History`.
        read: As in `History`.
        decided_to: As in `History`.

    Raises:
        KafkaUnreachableError: The broker went away.
    """
    names = [*topics.submissions, topics.cases_admitted, topics.cases_events, topics.cases_status]
    names += [topics.cases_contents, topics.dead_letters, topics.directory]
    names += [*inboxes(reader, topics), *police(reader, topics)]
    partitions = {name: reader.partitions(name) for name in names}
    begins = {name: reader.begins(name) for name in names}
    log = MemoryLog(reader.whole(*names), partitions, begins)
    return History(log, topics, environment, clock, confirmed, read or {}, decided_to)


def check(history: History) -> tuple[Violation, ...]:
    """Answer what is broken; nothing is what must come out."""
    return examine(history).violations


def examine(history: History) -> Checked:
    """Answer what is broken, with all that was counted."""
    books = read_books(history.log, history.topics, confirmed=history.confirmed, read=history.read)
    counted = account(books)
    scope = Scope(
        history.topics,
        history.environment,
        history.clock,
        bounds=history.decided_to,
        narrow=history.narrow,
    )
    verified = verify(history.log, scope)
    violations = [
        *(Violation("lost", f"{loss.what} {loss.id}", loss.missing) for loss in counted.lost),
        *(Violation("conflict", f"{loss.what} {loss.id}", loss.missing) for loss in counted.conflicts),
        *(
            Violation(found.rule, f"{found.case_id} {found.id}".strip(), found.text)
            for found in verified.findings
        ),
    ]
    return Checked(tuple(sorted(violations)), counted, verified)
