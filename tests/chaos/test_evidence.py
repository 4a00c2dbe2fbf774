from casework.messages import Fact
from operations.chaos.evidence import count
from operations.logs import MemoryLog
from operations.reading import Record
from streams import wire
from streams.topics import Topics

URL_KEY = bytes(32)


def record(offset: int, number: int, case_id: str = "case") -> Record:
    """Answer a record of cases.events."""
    fact = Fact(
        case_id=case_id, url_key=URL_KEY, number=number, fact="acknowledged", round=1, leg=1,
        fact_id=f"{case_id}-{number}", input_id="input", environment="test", by="nl-a", occurred_at=1,
        admitted_at=1, submitted_at=1, directory_version=1, rules_version=1,
        source_topic="cases.admitted", source_partition=0, source_offset=number,
    )  # fmt: skip
    return Record("cases.events", 0, offset, 0, URL_KEY, wire.encode(fact), ())


def test_repeats_are_counted_under_their_own_id() -> None:
    """What a crash repeated is told beside all records, so that a reader sees how often it happens."""
    found = [record(0, 1), record(1, 2), record(2, 1), record(3, 1, "other"), record(4, 2)]
    log = MemoryLog(found, {"cases.events": 1})
    records, duplicates = count(log, Topics())
    assert records["fact"] == 5
    assert dict(duplicates) == {"fact": 2}
