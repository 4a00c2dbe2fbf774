import asyncio
import random
from types import SimpleNamespace

import msgspec
import pytest

from agents.judgement import Admit, Bench, GiveUp, Refuse, Verdict, judge
from casework.directory import Directory
from casework.ids import RANDOM_BYTES, new_event_id
from casework.messages import Delivery, Receipt
from casework.submissions import Admission
from casework.transitions import ACTIONS as USABLE
from casework.transitions import NEED_REASON
from connectors.drafts import ActionDraft
from connectors.preparing import Prepared, Sender, build_action, build_report
from connectors.sending import topic_of
from operations.directory import files
from operations.directory.equipping import Equipment, equip
from operations.simulator.bad_input import (
    ACTION_FAULTS,
    PROTECTION_FAULTS,
    REPORT_FAULTS,
    SEALED_AWAY,
    Fault,
    FaultySystem,
)
from operations.simulator.case_work import Work, correction_of, steps_of, turn_action
from operations.simulator.cast import choose_cast
from operations.simulator.constants import DAY_MS
from operations.simulator.ledger import Ledger
from operations.simulator.parts import PLAYED_BY
from operations.simulator.schedule import Schedule
from operations.simulator.turns import Turn
from operations.simulator.world import Held
from operations.simulator.year import SimulatedYear
from streams.clock import ManualClock
from streams.settings import DEMO_NETWORK_KEY
from streams.topics import Topics

NOW = 1_650_000_000_000


@pytest.fixture(scope="module")
def directory() -> Directory:
    """Return the shipped directory with every candidate admitted."""
    return files.parse(files.read(), environment="demo", published_at=0, candidates="admit")


@pytest.fixture(scope="module")
def equipment(directory: Directory) -> Equipment:
    """Return the directory with keys for everybody, protection required."""
    return equip(directory, at=0)


def admission(directory: Directory) -> Admission:
    """Return how intake would judge now."""
    return Admission(directory=directory, environment="demo", admitted_at=NOW, submitted_at=NOW, size=1_000)


def sender(member: str, equipment: Equipment | None = None) -> Sender:
    """Return who drafts, with ids that do not repeat, and with keys where there are some."""
    draws = random.Random(1)  # noqa: S311 - test ids
    return Sender(
        member=member,
        environment="demo",
        network_key=DEMO_NETWORK_KEY,
        new_id=lambda now: new_event_id(now, draws.randbytes(RANDOM_BYTES)),
        keys=None if equipment is None else equipment.rings[member],
    )


def test_every_simulated_report_passes_the_rules_of_intake(directory: Directory) -> None:
    """What simulated hotlines draft is accepted by the client and so by the exchange."""
    for report in SimulatedYear(2022, 3, directory, scale=0.001):
        draft = msgspec.structs.replace(report.draft("NL"), occurred_at=NOW, received_at=NOW, assessed_at=NOW)
        build_report(draft, sender(report.sender), admission(directory))


def test_every_step_of_a_fate_is_an_action_of_the_table(directory: Directory) -> None:
    """Steps come in order; they and the turns are in the table and pass the client's checks."""
    taken = set()
    for report in SimulatedYear(2022, 3, directory, scale=0.005):
        if report.is_duplicate:
            continue
        steps = steps_of(report)
        times = [at for _, at, _ in steps]
        assert times == sorted(times)
        held = Held(
            "00000000-0000-8000-8000-000000000001", b"\1" + b"k" * 32, report.hosting_country, 1, 1, 0
        )
        work = Work(held, report)
        turns = (turn_action(work, turn, NOW, "NL") for turn in report.turns)
        correction = "corrected", correction_of(work, Turn("corrected", NOW, reason_code="second_opinion"), 3)
        drafted = [(action, fields) for action, _, fields in steps]
        for action, fields in [*drafted, *filter(None, turns), correction]:
            if (action, *fields) in taken:
                continue
            judgement = {"law_country": "NL", "assessed_at": NOW} if "classification" in fields else {}
            draft = ActionDraft(
                action=action, case_id=held.case_id, url_key=held.url_key, hosting_country="NL",
                occurred_at=NOW, **fields, **judgement,
            )  # fmt: skip
            build_action(draft, sender("nl-offlimits"), admission(directory))
            assert (action in NEED_REASON) == ("reason_code" in fields)
            taken.add((action, *fields))
    played = {action for action, *_ in taken}
    assert played <= USABLE
    hotlines = {action for action, kinds in PLAYED_BY.items() if "hotline" in kinds}
    answers = {"claim", "hand_back", "hold", "confirmed", "transfer", "withdraw", "reappeared"}
    assert played == hotlines - answers


def test_the_cast_hosts_and_reports_everything_it_plays(directory: Directory) -> None:
    """With the cast alone no report is hosted with a hotline that is not played, and orphans remain."""
    cast = choose_cast(directory, 2022)
    year = SimulatedYear(2022, 1, directory, scale=0.01, only=cast.hotlines)
    served = {
        rule.code: {share.member for share in rule.hotlines if directory.member(share.member).active}
        for rule in directory.countries
    }
    senders, orphans = set(), 0
    for report in year:
        senders.add(report.sender)
        responsible = served.get(report.hosting_country, set())
        assert responsible <= set(cast.hotlines)
        orphans += not responsible
    assert senders <= set(cast.hotlines)
    assert orphans > 0
    assert 10 <= len(cast.hotlines) <= 30
    assert {"interpol", "europol", "nl"} <= {code for _, code in cast.liaisons}


def judged(prepared: Prepared, directory: Directory) -> Verdict:
    """Return what intake does with a submission."""
    topics = Topics()
    record = SimpleNamespace(
        topic=topic_of(prepared, topics),
        partition=0,
        offset=0,
        timestamp=NOW,
        key=prepared.url_key,
        value=prepared.value,
        headers=(),
    )
    return judge(record, Bench(directory, "demo", NOW, topics))  # type: ignore[arg-type] - what it reads of one


@pytest.mark.parametrize("fault", REPORT_FAULTS, ids=lambda fault: fault.name)
def test_bad_reports_are_as_bad_as_they_claim(fault: Fault, directory: Directory) -> None:
    """Intake refuses a spoiled report, or gives it up, as the fault says; unspoiled it is admitted."""
    report = next(iter(SimulatedYear(2022, 1, directory, scale=0.001)))
    draft = msgspec.structs.replace(report.draft("NL"), occurred_at=NOW, received_at=NOW, assessed_at=NOW)
    good = build_report(draft, sender(report.sender), admission(directory))
    assert isinstance(judged(good, directory), Admit)
    expected = {"refused": Refuse, "dead_letter": GiveUp}[fault.expected]
    assert isinstance(judged(fault.spoil(good, FaultySystem(None, directory)), directory), expected)


@pytest.mark.parametrize("fault", [*REPORT_FAULTS, *PROTECTION_FAULTS], ids=lambda fault: fault.name)
def test_bad_reports_are_as_bad_where_everything_is_sealed(fault: Fault, equipment: Equipment) -> None:
    """The faulty system signs what it has wrong and is told so; what is sealed away is admitted."""
    directory = equipment.directory
    report = next(iter(SimulatedYear(2022, 1, directory, scale=0.001)))
    draft = msgspec.structs.replace(report.draft("NL"), occurred_at=NOW, received_at=NOW, assessed_at=NOW)
    good = build_report(draft, sender(report.sender, equipment), admission(directory))
    assert isinstance(judged(good, directory), Admit)
    spoiled = fault.spoil(good, FaultySystem(equipment.rings[report.sender], directory))
    expected = {"refused": Refuse, "dead_letter": GiveUp}[fault.expected]
    assert isinstance(judged(spoiled, directory), Admit if fault.name in SEALED_AWAY else expected)


@pytest.mark.parametrize("fault", ACTION_FAULTS, ids=lambda fault: fault.name)
def test_bad_actions_are_never_dead_letters(fault: Fault, directory: Directory) -> None:
    """A spoiled action is refused at the door, or admitted for casekeeper to refuse."""
    draft = ActionDraft(
        action="acknowledged",
        hosting_country="NL",
        case_id="00000000-0000-8000-8000-000000000001",
        url="https://h1.example/",
        occurred_at=NOW,
    )
    good = build_action(draft, sender("nl-offlimits"), admission(directory))
    spoiled = fault.spoil(good, FaultySystem(None, directory))
    assert spoiled.statement != good.statement
    assert isinstance(judged(spoiled, directory), Refuse | Admit)


async def test_steps_are_taken_at_their_time_and_in_order() -> None:
    """A step comes when the clock reaches it, earlier ones first, equal times as they were added."""
    clock = ManualClock(0)
    schedule = Schedule(clock)
    taken: list[str] = []

    def step(name: str):  # noqa: ANN202 - a coroutine function
        async def take() -> None:
            taken.append(name)

        return take

    for at, name in ((20, "c"), (10, "a"), (10, "b"), (30, "d")):
        schedule.at(at, step(name))
    for now, expected in ((9, ""), (10, "ab"), (29, "abc"), (30, "abcd")):
        clock.advance(now - clock.now_ms())
        for each in schedule.due():
            await each()
        assert "".join(taken) == expected
    assert len(schedule) == 0


async def test_following_hands_out_what_is_due_until_cancelled() -> None:
    """`follow` gives each due step to its caller."""
    schedule = Schedule(ManualClock(100))
    got = asyncio.Event()

    async def take() -> None:
        got.set()

    schedule.at(50, take)
    task = asyncio.create_task(schedule.follow(lambda step: step()))
    await got.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(schedule) == 0


def test_the_ledger_knows_what_is_unanswered() -> None:
    """A submission is unanswered until its first receipt; refusals are counted that nobody meant to get."""
    ledger = Ledger()
    ledger.sent("a", "report")
    ledger.sent("b", "action")
    assert (ledger.submitted, ledger.unanswered) == (2, 2)
    stamps = {"environment": "demo", "admitted_at": 1, "submitted_at": 1}
    ledger.got_receipt(
        Receipt(event_id="a", recipient="nl", outcome="refused", receipt_id="r", rule="x", **stamps)
    )
    ledger.sent("c", "action", "nl", "claim")
    ledger.wrong.add("b")
    for event_id in ("b", "c"):
        refused = Receipt(
            event_id=event_id, recipient="nl", outcome="refused", receipt_id="r", rule="y", **stamps
        )
        ledger.got_receipt(refused)
    ledger.got_receipt(Receipt(event_id="a", recipient="nl", outcome="duplicate", receipt_id="s", **stamps))
    assert (ledger.unanswered, ledger.answers["a"]) == (0, "refused")
    assert ledger.refusals == {("report", "x"): 1, ("claim", "y"): 1}


def test_the_ledger_counts_flows_of_reports_only() -> None:
    """An assignment is a flow from origin to host; an update is none."""
    ledger = Ledger()
    given = Delivery(
        case_id="c", url_key=b"k", recipient="de-x", number=1, kind="assignment", delivery_id="d1",
        environment="demo", round=1, leg=1, state="assigned", fact="assigned", fact_number=2, by="exchange",
        occurred_at=1, admitted_at=1, submitted_at=1, hosting_country="DE",
    )  # fmt: skip
    ledger.got_delivery(given, "NL")
    ledger.got_delivery(msgspec.structs.replace(given, kind="update", delivery_id="d2"), "NL")
    assert ledger.flows == {("NL", "DE"): 1}
    assert ledger.deliveries["de-x"] == {"d1", "d2"}
    ledger.took_on("c", "de-x", NOW - 8 * DAY_MS)
    assert ledger.open_cases == {"c": ("de-x", NOW - 8 * DAY_MS)}
    ledger.finished("c")
    assert ledger.open_cases == {}
