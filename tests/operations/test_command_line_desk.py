"""What `hx desk` and `hx cases show` tell of who has to do what by when, without Kafka."""

import json
from collections.abc import Callable

import msgspec
import pytest
from paper_exchange import HOUR_MS, PaperExchange

from casework.messages import Asked, Case, Fact, Hold, HostDoubt, Lease
from casework.queues import QUEUES, lies_in_queues, queues_of
from operations.command_line.desk import Todo, todos, when
from operations.command_line.fact_lines import detail
from streams import wire

Hx = Callable[..., tuple[int, str, str]]
HxOn = Callable[[PaperExchange], Hx]
URL = "https://desk.example.test/"
replace = msgspec.structs.replace


@pytest.fixture
def paper() -> PaperExchange:
    """Return an exchange with a case of the Netherlands, reported twice, and an orphan of Hong Kong."""
    made = PaperExchange()
    made.report(URL + "nl")
    made.clock.advance(60_000)
    made.report(URL + "nl", sender="ie-hotline")
    made.report(URL + "orphan", country="HK")
    return made


def _case(paper: PaperExchange, name: str) -> Case:
    case = paper.case(URL + name)
    assert case is not None
    return case


def _waiting(case: Case) -> list[Case]:
    """Answer one case for each queue, the one that a hold was set on last."""
    hold = Hold(until=9, since=5, by="nl-police", liaison="nl-police", warned=0, fact_number=3)
    doubt = HostDoubt(hosting_country="DE", by="de-eco", observed_at=5, due_at=9, fact_number=3)
    return [
        replace(case, case_id="overdue", overdue=("acknowledge",)),
        replace(
            case, case_id="unassigned", state="offered", assigned_hotline=None, pool=("de-eco", "de-fsm")
        ),
        replace(case, case_id="claimed", lease=Lease(until=9, queue="offered")),
        replace(case, case_id="rewrap", state="awaiting_rewrap", rewrap_due_at=9),
        replace(case, case_id="disputes", doubt=doubt),
        replace(case, case_id="confirmations", asked=(Asked(fact_number=3, kind="erasure", due_at=9),)),
        replace(case, case_id="kept", state="closed", closed_at=5, references=("nl-police",)),
        replace(case, case_id="holds", hold=hold),
    ]


def test_the_desk_lists_orphans_with_who_may_claim_them(hx_on: HxOn, paper: PaperExchange) -> None:
    """An orphaned case is listed with its desk, and a filter for another country leaves it out."""
    hx = hx_on(paper)
    code, out, _ = hx("desk", "orphans", "--json")
    [line] = [json.loads(text) for text in out.splitlines()]
    assert code == 0
    assert line["case_id"] == _case(paper, "orphan").case_id
    assert line["hosting_country"] == "HK"
    table = hx("desk", "orphans", "--country", "hk")[1]
    assert line["case_id"] in table
    assert "claim the case" in table
    assert line["case_id"] not in hx("desk", "orphans", "--country", "NL")[1]
    code, _, err = hx("desk", "orphans", "--country", "QX")
    assert (code, "--country" in err) == (2, True)


def test_a_mistyped_hotline_is_not_answered_by_an_empty_desk(hx_on: HxOn, paper: PaperExchange) -> None:
    """A queue without lines of a member names a member that does not exist, and offers the right one."""
    hx = hx_on(paper)
    code, _, err = hx("desk", "overdue", "--hotline", "nl-offlimts")
    assert (code, "nl-offlimits" in err) == (2, True)
    assert hx("desk", "overdue", "--hotline", "nl-offlimits")[0] == 0


def test_each_queue_lists_its_own_cases(paper: PaperExchange) -> None:
    """A case lies in the queue that its state says, and in no other."""
    for case in _waiting(_case(paper, "nl")):
        assert [queue for queue, _ in queues_of(case)] == [case.case_id]
        assert lies_in_queues(case)
        lines = todos(case.case_id, [case], paper.directory)
        assert [(line.case_id, line.queue) for line in lines] == [(case.case_id, case.case_id)]
        assert {line.what for line in lines} <= QUEUES[case.case_id].whats
    assert list(queues_of(_case(paper, "nl"))) == []
    assert not lies_in_queues(_case(paper, "nl"))


def test_a_queue_is_ordered_by_what_is_due_first(paper: PaperExchange) -> None:
    """What is late longest stands first; what has no time comes last, by its age."""
    case = _case(paper, "nl")

    def of(due_at: int) -> Case:
        return replace(case, case_id=str(due_at), lease=Lease(until=due_at, queue="offered"))

    lines = todos("claimed", [of(9), of(3), of(5)], paper.directory)
    assert [line.case_id for line in lines] == ["3", "5", "9"]
    assert when(None, 5) == ""
    assert when(5 + HOUR_MS, 5) == "in 1.0 h"
    assert when(5, 5 + HOUR_MS) == "1.0 h late"


def test_a_hotline_sees_what_it_has_to_do_elsewhere(paper: PaperExchange) -> None:
    """The filter finds cases of a hotline and those in which it owes something, as a re-wrap."""
    case = replace(_case(paper, "nl"), state="awaiting_rewrap", rewrap_due_at=9)

    def found(hotline: str) -> list[Todo]:
        return todos("rewrap", [case], paper.directory, hotline=hotline)

    assert len(found("gb-iwf")) == len(found("nl-offlimits")) == 1
    assert found("de-eco") == []


def test_a_rewrap_that_nobody_can_make_is_the_secretariats(paper: PaperExchange) -> None:
    """Suspended holders are not waited for; without any other the desk says that it is impossible."""
    case = replace(_case(paper, "nl"), state="awaiting_rewrap", rewrap_due_at=9)
    assert {one.member for one in case.origins} == {"gb-iwf", "ie-hotline"}

    def line(*suspended: str) -> tuple[str | None, tuple[str, ...]]:
        members = tuple(
            replace(one, status="suspended") if one.id in suspended else one
            for one in paper.directory.members
        )
        [found] = todos("rewrap", [case], replace(paper.directory, members=members))
        return found.what, found.who

    assert line("gb-iwf") == ("rewrap", ("ie-hotline",))
    assert line("gb-iwf", "ie-hotline") == ("rewrap_impossible", ("inhope",))
    assert line("gb-iwf", "ie-hotline", "inhope") == ("rewrap_impossible", ("operators",))


def test_a_case_is_shown_with_its_next_steps_legs_and_deliveries(hx_on: HxOn, paper: PaperExchange) -> None:
    """The timeline tells who is next, who had the case, and the number of each delivery."""
    hx = hx_on(paper)
    case_id = _case(paper, "nl").case_id
    _, out, _ = hx("cases", "show", case_id)
    assert "next: nl-offlimits: acknowledge the report by " in out
    assert "nl-offlimits#2" in out
    assert "2 linked_report of fact 3 linked" in out
    told = json.loads(hx("cases", "show", case_id, "--json")[1])
    assert {"case", "facts", "next", "legs", "rounds", "deadlines", "reports", "deliveries"} <= told.keys()
    assert [leg["who"] for leg in told["legs"]] == [["nl-offlimits"]]
    assert [each["origin"] for each in told["reports"]] == ["gb-iwf", "ie-hotline"]
    assert [each["number"] for each in told["deliveries"]] == [1, 2]


def test_a_fact_of_a_later_version_is_shown_with_what_it_carries(hx_on: HxOn, paper: PaperExchange) -> None:
    """A kind of fact that this version does not know is marked and told with its fields."""
    record = next(r for r in reversed(paper.records) if r.topic == paper.topics.cases_events)
    fact = wire.decode_as(Fact, record.value or b"")
    strange = replace(fact, number=fact.number + 1, fact="of_tomorrow", until=HOUR_MS, members=("de-eco",))
    paper.records.append(record._replace(offset=record.offset + 1, value=wire.encode(strange)))
    code, out, _ = hx_on(paper)("cases", "show", fact.case_id)
    assert code == 0
    assert "of_tomorrow (unknown here)" in out
    assert "members de-eco" in detail(strange)
    assert "until 1970-01-01 01:00:00Z" in detail(strange)
