"""Verification beside running workers, after retention, and from a snapshot."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from paper_exchange import PARTITIONS, PaperExchange, lived, network, troubled

from casework.messages import Admitted, Fact
from operations.logs import MemoryLog
from operations.reading import Record
from operations.verification.findings import MEANINGS, REASONS, Finding
from operations.verification.run import Scope, Verification, verify
from operations.verification.snapshot import Snapshot, SnapshotError
from streams import wire

URL = "https://material.example.test/later"


def scope(paper: PaperExchange, **changes: object) -> Scope:
    """Return what is verified."""
    return msgspec.structs.replace(Scope(paper.topics, "test", paper.clock), **changes)


def run(paper: PaperExchange, records: list[Record] | None = None, **changes: object) -> Verification:
    """Return the outcome for what lies in the topics, or for other records."""
    return verify(paper.history(records).log, scope(paper, **changes))


def ends(paper: PaperExchange, topic: str) -> dict[int, int]:
    """Return the ends of a topic."""
    return MemoryLog(paper.records, paper.partitions()).ends(topic)


def test_every_name_has_its_words() -> None:
    """Each rule and each reason that can come out is explained to operators."""
    assert set(MEANINGS) == set(Finding.__annotations__["rule"].__args__)
    assert all(text for text in (*MEANINGS.values(), *REASONS.values()))


def test_what_is_under_way_is_no_finding() -> None:
    """Records that casekeeper has not committed may have any part of their effects, or none."""
    paper = lived()
    bounds = ends(paper, paper.topics.cases_admitted)
    before = len(paper.records)
    paper.report("https://material.example.test/0", sender="ie-hotline")
    paper.report(URL)
    new = paper.records[before:]
    for count in range(len(new) + 1):
        half = (
            paper.records[:before]
            + [r for r in new if r.topic.startswith(("cases.admitted", "reports."))]
            + [r for r in new if not r.topic.startswith(("cases.admitted", "reports."))][:count]
        )
        outcome = run(paper, half, bounds=bounds)
        assert outcome.findings == (), count
        assert outcome.unchecked["in_flight"] == 2


def test_what_intake_has_not_committed_is_no_finding() -> None:
    """A submission that intake has not committed need not be admitted yet, and may be."""
    paper = lived()
    submitted = {topic: ends(paper, topic) for topic in paper.topics.submissions}
    before = len(paper.records)
    paper.report(URL)
    sent = paper.records[before]
    bounds = ends(paper, paper.topics.cases_admitted)
    assert run(paper, [*paper.records[:before], sent], submitted=submitted).findings == ()
    assert run(paper, submitted=submitted, bounds=bounds).findings == ()
    assert run(paper, [*paper.records[:before], sent]).findings != ()


def test_facts_of_deleted_records_are_folded_and_counted() -> None:
    """After retention states and messages are compared with what the facts say; the rest is counted."""
    paper = lived()
    topics = paper.topics
    begins = {topics.cases_admitted: dict.fromkeys(range(PARTITIONS), 5), topics.reports_submitted: {0: 99}}
    begins |= {topics.reports_urgent: {0: 99}, topics.actions_submitted: {0: 99}}
    left = [r for r in paper.records if r.offset >= begins.get(r.topic, {}).get(r.partition, 0)]

    def outcome(records: list[Record]) -> Verification:
        return verify(MemoryLog(records, paper.partitions(), begins), scope(paper))

    whole = outcome(left)
    assert whole.findings == ()
    assert whole.unchecked["admitted_record_deleted"] > 0
    assert whole.unchecked["submission_deleted"] > 0
    delivery = next(r for r in left if r.topic == topics.inbox("nl-offlimits"))
    lost = outcome([r for r in left if r is not delivery])
    assert {found.rule for found in lost.findings} == {"effect_missing"}


def test_records_of_another_rules_version_are_folded_and_counted() -> None:
    """What other rules decided is not decided again; its facts make the states nevertheless."""
    paper = lived()
    version = 99
    records = []
    for record in paper.records:
        value = record.value or b""
        if record.topic == paper.topics.cases_admitted:
            told = msgspec.structs.replace(wire.decode_as(Admitted, value), rules_version=version)
            records.append(record._replace(value=wire.encode(told)))
        else:
            records.append(record)
    outcome = run(paper, records)
    admitted = sum(r.topic == paper.topics.cases_admitted for r in records)
    assert outcome.unchecked["another_rules_version"] == admitted
    assert outcome.counts.get("facts_decided", 0) == 0
    assert {found.rule for found in outcome.findings} <= {"effect_unknown"}


def test_a_case_whose_facts_do_not_fit_is_named_once_and_the_others_go_on() -> None:
    """A fact that cannot follow stops its own case only."""
    paper = lived()
    records = []
    for record in paper.records:
        value = record.value or b""
        if record.topic == paper.topics.cases_admitted:
            told = msgspec.structs.replace(wire.decode_as(Admitted, value), rules_version=99)
            records.append(record._replace(value=wire.encode(told)))
        elif record.topic == paper.topics.cases_events and record.offset == 1 and record.partition == 0:
            continue
        else:
            records.append(record)
    found = [each.rule for each in run(paper, records).findings]
    assert found.count("fact_unfit") == 1
    assert "fact_gap" in found


def test_a_snapshot_begins_later_and_finds_the_same(tmp_path: Path) -> None:
    """What came after a snapshot is verified from it, though everything before is gone."""
    paper = lived()
    file = tmp_path / "snapshot"
    verify(paper.history().log, scope(paper), save_snapshot=file)
    topics, before = paper.topics, len(paper.records)
    old = {topic: ends(paper, topic) for topic in (*topics.submissions, topics.cases_admitted)}
    old[topics.cases_events] = ends(paper, topics.cases_events)
    paper.report("https://material.example.test/0", sender="ie-hotline")
    paper.act("https://material.example.test/1", "de-eco", "acknowledged")
    newest = {
        (r.topic, r.key): r for r in paper.records if r.topic in {topics.cases_status, topics.cases_contents}
    }
    new = paper.records[before:]
    assert len(new) >= 8
    keep = [
        r
        for r in paper.records[:before]
        if (r.topic not in old and r in newest.values()) or "inbox" in r.topic
    ]
    keep += [r for r in paper.records[:before] if r.topic == topics.directory]
    left = sorted({id(r): r for r in [*keep, *new]}.values(), key=paper.records.index)

    def outcome(records: list[Record]) -> Verification:
        log = MemoryLog(records, paper.partitions(), old)
        return verify(log, scope(paper, snapshot=Snapshot.load(file)))

    whole = verify(paper.history().log, scope(paper, snapshot=Snapshot.load(file)))
    assert whole.findings == ()
    assert whole.counts["submissions"] == 2
    assert outcome(left).findings == ()
    assert outcome(left).counts["facts"] == sum(r.topic == topics.cases_events for r in new)
    for topic, rule in (("inbox.", "effect_missing"), (topics.cases_events, "fact_missing")):
        lost = next(r for r in new if r.topic.startswith(topic))
        assert rule in {found.rule for found in outcome([r for r in left if r is not lost]).findings}


@pytest.mark.parametrize("make", [lived, troubled])
def test_a_snapshot_saved_under_load_finds_nothing_wrong_later(
    make: Callable[[], PaperExchange], tmp_path: Path
) -> None:
    """Wherever the logs stood when it was saved, with work half done, a later run from it is clean."""
    paper = make()
    topics, file = paper.topics, tmp_path / "snapshot"
    for cut in range(5, len(paper.records), 9):
        half = paper.records[:cut]
        there = MemoryLog(half, paper.partitions())
        bounds, submitted = there.ends(topics.cases_admitted), {t: there.ends(t) for t in topics.submissions}
        # The last submission and the last admitted record are under way: nothing of them is committed.
        for name, committed in ((topics.cases_admitted, bounds), *submitted.items()):
            last = [r for r in half if r.topic in topics.submissions or r.topic == topics.cases_admitted][-2:]
            for record in last:
                if record.topic == name:
                    committed[record.partition] = min(committed[record.partition], record.offset)
        first = verify(there, scope(paper, bounds=bounds, submitted=submitted), save_snapshot=file)
        assert first.findings == (), cut
        later = verify(paper.history().log, scope(paper, snapshot=Snapshot.load(file)))
        assert later.findings == (), cut


def test_no_snapshot_of_what_is_not_whole(tmp_path: Path) -> None:
    """States that do not hold are no point to begin from."""
    paper = lived()
    broken = [r for r in paper.records if r.topic != paper.topics.cases_status]
    outcome = verify(paper.history(broken).log, scope(paper), save_snapshot=tmp_path / "snapshot")
    assert not outcome.is_whole
    assert not (tmp_path / "snapshot").exists()


def test_a_snapshot_of_another_exchange_is_refused(tmp_path: Path) -> None:
    """A file of other topics, or no snapshot at all, is named as such."""
    paper = PaperExchange()
    other = Snapshot("other.", "test", PARTITIONS, {}, {}, {})
    with pytest.raises(SnapshotError, match="other topics"):
        run(paper, snapshot=other)
    (tmp_path / "none").write_bytes(b"?")
    with pytest.raises(SnapshotError, match="no snapshot"):
        Snapshot.load(tmp_path / "none")


def test_a_directory_version_that_is_gone_is_counted() -> None:
    """Records of a directory version that cannot be read are folded, and told."""
    paper = lived()
    bare = [r for r in paper.records if r.topic != paper.topics.directory]
    outcome = run(paper, bare, with_intake=False)
    assert network().version == 1
    assert outcome.unchecked["directory_version_gone"] == sum(
        r.topic == paper.topics.cases_admitted for r in bare
    )
    facts = [wire.decode_as(Fact, r.value or b"") for r in bare if r.topic == paper.topics.cases_events]
    assert outcome.counts["facts"] == len(facts)
