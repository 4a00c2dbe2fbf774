"""Bringing back what reconciliation found missing. Harmless when it was not missing: everything has an id.

What is missing, and what is done:
- admission or receipt: the submission goes to its own topic and partition again, with the same key, value and
  headers. Intake admits it once more; casekeeper knows it, or answers it as a duplicate.
- decision: the admitted record goes into its own partition of cases.admitted again, unchanged.
- delivery, escalation: made again from facts and stored contents, with the same id and bytes, and signed as
  the exchange signs its own. One of intake's (an urgency code) comes with its submission.
- fact, state: nothing is sent. `hx verify` names what differs; a state is rebuilt by the next load.
"""

from collections.abc import Iterator
from typing import Final

from agents.exchange_seal import ExchangeSeal
from casework.messages import Delivery, Escalation
from casework.postings import Posting
from operations import inbox_rebuild
from operations.journal import Journal
from operations.logs import Log
from operations.reading import Record
from operations.reconciliation import Reconciled
from operations.writing import Place, TopicWriter
from streams.slots import partition_of
from streams.topics import Topics

_MADE_AGAIN: Final = frozenset({"delivery", "escalation"})


def plan(log: Log, topics: Topics, found: Reconciled, seal: ExchangeSeal) -> Iterator[Record]:
    """Yield the records to send, with the topic and partition they go to; their offsets mean nothing.

    Raises:
        BrokenFactsError: Messages are missing and cannot be made again, because facts are missing too.
        KeyRingError: Messages are missing, the directory lists keys of the exchange, and the ring has none
            that counts now: nobody would believe them.
    """
    yield from found.resend
    wanted = {item.id for item in found.items if item.what == "missing" and item.kind in _MADE_AGAIN}
    if not wanted:
        return
    seal.check()
    for made in inbox_rebuild.messages(log, topics, lambda posting: _name_of(posting) in wanted, 0):
        key = made.message.url_key
        partition = partition_of(key, max(log.partitions(made.topic), 1))
        headers = seal.headers(made.topic, made.framed)
        yield Record(made.topic, partition, 0, 0, key, made.framed, headers)


def inject(record: Record, writer: TopicWriter, journal: Journal) -> Place:
    """Send one record and note it in the journal.

    Raises:
        NotWrittenError: The topic does not take it.
        KafkaUnreachableError: It was not confirmed; it may be there or not, and may be sent again.
    """
    with journal.noting("reinject", Place(record.topic, record.partition, record.offset)) as note:
        note.written = writer.write(record.topic, record.partition, record.key, record.value, record.headers)
        return note.written


def _name_of(posting: Posting) -> str:
    match posting.body:
        case Delivery():
            return f"{posting.body.case_id}/{posting.body.number}/{posting.body.recipient}"
        case Escalation():
            return f"{posting.body.event_id}/{posting.body.reason_code}/{posting.body.recipient}"
        case _:
            return ""
