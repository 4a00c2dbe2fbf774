"""What `hx cases`, `hx inbox` and `hx reconcile` tell of an exchange, without Kafka."""

import datetime as dt
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from paper_exchange import PaperExchange, network

from casework.directory import Directory
from casework.messages import ActionContent, Delivery, Fact, Receipt, ReportContent
from operations.command_line import cases, session
from operations.command_line.inbox import words_in
from operations.command_line.keepers import of_receipt
from operations.command_line.texts import counted_as, moment
from operations.key_files import create_ring
from operations.reading import Record
from streams import wire
from streams.key_rings import KeyRing, PrivateKey

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]
HxOn = Callable[[PaperExchange], Hx]
URL = "https://looking.example.test/"


@pytest.fixture
def paper() -> PaperExchange:
    """Return an exchange with one case each of the Netherlands, of Tor and of an unknown host."""
    made = PaperExchange()
    made.report(URL + "nl")
    made.clock.advance(60_000)
    made.report(URL + "tor", country="XT")
    made.clock.advance(60_000)
    made.report(URL + "unknown", sender="ie-hotline", country="ZZ")
    return made


def _case(paper: PaperExchange, name: str) -> str:
    case = paper.case(URL + name)
    assert case is not None
    return case.case_id


def _receipt(country: str, hotline: str | None = None) -> Receipt:
    return Receipt(
        event_id="e", recipient="ie-hotline", outcome="accepted", receipt_id="r", environment="test",
        case_id="c", url_key=b"k" * 17, hosting_country=country, assigned_hotline=hotline, admitted_at=1,
        submitted_at=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("receipt", "directory", "told"),
    [
        (_receipt("NL", "nl-offlimits"), network(), "nl-offlimits"),
        (_receipt("XT"), network(), "police: interpol, europol; no desk"),
        (_receipt("ZZ"), network(), "orphan desk; police: interpol, europol"),
        (_receipt("AQ"), network(), "orphan desk; police: interpol"),
        (_receipt("XT"), None, "no hotline"),
    ],
)
def test_a_receipt_tells_who_has_the_case(receipt: Receipt, directory: Directory | None, told: str) -> None:
    """A desk is named only where there is one, and police always where they were told."""
    assert of_receipt(receipt, directory) == told


def test_a_case_tells_who_has_it(hx_on: HxOn, paper: PaperExchange) -> None:
    """The head of a case names hotline, or desk and police, or police alone."""
    hx = hx_on(paper)
    for name, told in {
        "nl": "assigned -> nl-offlimits",
        "tor": "orphaned -> police: interpol, europol; no desk",
        "unknown": "orphaned -> orphan desk; police: interpol, europol",
    }.items():
        case_id = _case(paper, name)
        code, out, _ = hx("cases", "show", case_id)
        assert (code, out.splitlines()[0]) == (0, f"case {case_id}: {told}")
    assert "police: interpol, europol; no desk" in hx("cases", "list")[1]


def test_each_escalation_names_whom_it_told(hx_on: HxOn, paper: PaperExchange) -> None:
    """One row each for INTERPOL and Europol would look like a doubled fact without their names."""
    _, out, _ = hx_on(paper)("cases", "show", _case(paper, "tor"))
    told = [line for line in out.splitlines() if " escalated " in line]
    assert [("told police interpol" in line, "told police europol" in line) for line in told] == [
        (True, False),
        (False, True),
    ]


def test_the_beginning_of_an_id_is_enough_where_it_means_one_case(hx_on: HxOn, paper: PaperExchange) -> None:
    """Eight characters find a case, fewer are a usage error, and unknown ones are answered by no."""
    hx = hx_on(paper)
    case_id = _case(paper, "nl")
    code, out, _ = hx("cases", "show", case_id[:8])
    assert (code, case_id in out) == (0, True)
    code, _, err = hx("cases", "show", case_id[:7])
    assert (code, "at least 8 characters" in err) == (2, True)
    assert hx("cases", "show", "ffffffff-none")[0] == 1


def test_a_beginning_of_several_ids_names_the_cases(hx_on: HxOn) -> None:
    """Event ids of one minute begin alike: nothing is guessed, the cases are named."""
    paper = PaperExchange()
    event_ids = [paper.report(f"{URL}{number}") for number in range(2)]
    begin = event_ids[0][:8]
    assert event_ids[1].startswith(begin)
    code, _, err = hx_on(paper)("cases", "show", begin)
    assert code == 2
    assert all(_case(paper, str(number)) in err for number in range(2))


def test_a_whole_id_is_never_ambiguous() -> None:
    """An id that is given whole finds its own case, though another one begins with it."""
    paper = PaperExchange()
    paper.report(URL)
    opened = next(r for r in paper.records if r.topic == paper.topics.cases_events)

    def record(number: int, case_id: str) -> Record:
        fact = wire.decode_as(Fact, opened.value or b"")
        fact = msgspec.structs.replace(fact, url_key=bytes([number]) * 33, case_id=case_id)
        return opened._replace(offset=number, key=fact.url_key, value=wire.encode(fact))

    records = [record(1, "case-0001"), record(2, "case-0001-b")]
    assert [[fact.case_id for fact in found] for found in cases.facts_of(records, "case-0001")] == [
        ["case-0001"]
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "list", "--hotline", "nl-offlimts"),
        ("inbox", "tail", "nl-offlimts"),
        ("inbox", "rebuild", "nl-offlimts", "--since", "2025-01-01T00:00:00Z"),
    ],
)
def test_a_mistyped_member_is_an_error_that_offers_the_right_one(
    hx_on: HxOn, paper: PaperExchange, words: tuple[str, ...]
) -> None:
    """A typo is not answered by an empty list, nor by advice to provision."""
    code, out, err = hx_on(paper)(*words)
    assert (code, out) == (2, "")
    assert err == "hx: no member nl-offlimts: did you mean nl-offlimits?\n"


def test_a_name_like_none_is_told_where_names_are(hx_on: HxOn, paper: PaperExchange) -> None:
    """Where nothing is near, the command that lists members is named; odd characters are no defect."""
    assert hx_on(paper)("inbox", "tail", "§§ §§") == (
        2,
        "",
        "hx: no member §§ §§: 'hx members list' names all\n",
    )


def test_a_mistyped_liaison_is_an_error_that_offers_the_right_one(hx_on: HxOn, paper: PaperExchange) -> None:
    """Escalations of a code that nobody has are not simply empty."""
    code, _, err = hx_on(paper)("inbox", "tail", "--escalations", "interpoll")
    assert (code, err) == (2, "hx: no liaison interpoll: did you mean interpol?\n")


def test_a_feed_is_shown_by_the_liaison_s_member_id(hx_on: HxOn, paper: PaperExchange) -> None:
    """`--feed` shows what lies in the liaison's feed; whose feed it is must be said, and a typo is told."""
    found = next(r for r in paper.records if r.topic == "inbox.nl-offlimits")
    item = msgspec.structs.replace(
        wire.decode_as(Delivery, found.value or b""), recipient="feed.nl-police", kind="feed_item"
    )
    paper.records.append(found._replace(topic="feed.nl-police", value=wire.encode(item)))
    code, out, _ = hx_on(paper)("inbox", "tail", "nl-police", "--feed")
    assert (code, [line.split()[2:4] for line in out.splitlines()]) == (0, [["feed.nl-police", "feed_item"]])
    assert hx_on(paper)("inbox", "tail", "--feed")[0] == 2
    code, _, err = hx_on(paper)("inbox", "tail", "nl-polize", "--feed")
    assert (code, err) == (2, "hx: no liaison nl-polize: did you mean nl-police?\n")


def test_a_listed_member_without_inbox_is_a_matter_of_provisioning(hx_on: HxOn, paper: PaperExchange) -> None:
    """Whoever is in the directory and has no topic yet is told what to run, and not of a typo."""
    code, _, err = hx_on(paper)("inbox", "tail", "de-eco")
    assert (code, err) == (78, "hx: the inbox of de-eco does not exist yet: run 'hx provision --apply'\n")


def test_a_hotline_without_cases_is_no_typo(hx_on: HxOn, paper: PaperExchange) -> None:
    """A listed member that has nothing is answered by none, with code 0."""
    code, out, _ = hx_on(paper)("cases", "list", "--hotline", "de-eco")
    assert (code, out.strip()) == (0, "0 of 0 cases: none")


def test_all_inboxes_are_shown_in_the_order_in_which_messages_came(hx_on: HxOn, paper: PaperExchange) -> None:
    """The time shown is that of the inbox, so it only grows from line to line, though a message is older."""
    late = next(n for n, r in enumerate(paper.records) if r.topic == "inbox.nl-offlimits")
    at = paper.records[late].timestamp + 3_600_000
    paper.records[late] = paper.records[late]._replace(timestamp=at)
    _, out, _ = hx_on(paper)("inbox", "tail")
    shown = [line[:20] for line in out.splitlines()]
    assert shown == sorted(shown)
    assert out.splitlines()[-1].startswith(moment(at))
    assert "nl-offlimits" in out.splitlines()[-1]


def test_a_report_of_a_closed_case_is_shown_with_its_outcome(hx_on: HxOn) -> None:
    """Otherwise the answer would read like a case that somebody works on."""
    paper = PaperExchange()
    url = "https://material.example.test/closed"
    paper.report(url)
    for action in ("acknowledged", "police_informed", "provider_informed", "removed"):
        paper.act(url, "nl-offlimits", action)
    paper.report(url, sender="de-eco")
    _, out, _ = hx_on(paper)("inbox", "tail", "de-eco")
    case = paper.case(url)
    assert case is not None
    assert f"accepted -> nl-offlimits; case {case.case_id}, closed: removed" in out


def test_the_inbox_of_a_sender_tells_who_has_its_cases(hx_on: HxOn, paper: PaperExchange) -> None:
    """The receipt of a Tor report names police and says that there is no desk."""
    _, out, _ = hx_on(paper)("inbox", "tail", "gb-iwf")
    assert f"accepted -> police: interpol, europol; no desk; case {_case(paper, 'tor')}" in out
    assert f"accepted -> nl-offlimits; case {_case(paper, 'nl')}" in out


def test_countries_are_shown_by_one_code(hx_on: HxOn) -> None:
    """What a member wrote as UK is shown as GB, like everywhere else."""
    paper = PaperExchange()
    paper.report(URL + "uk", sender="ie-hotline", country="UK")
    _, out, _ = hx_on(paper)("inbox", "tail", "gb-iwf")
    assert "host GB" in out
    assert "UK" not in out


def test_reconciliation_without_findings_says_so(hx_on: HxOn) -> None:
    """Whoever reads the output need not infer from silence that all is well; one is not told as many."""
    made = PaperExchange()
    made.report(URL + "one", sender="ie-hotline")
    since, until = (
        dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC).isoformat() for ms in (made.now - 1, made.now + 1)
    )
    code, out, _ = hx_on(made)("reconcile", "--since", since, "--until", until)
    assert code == 0
    assert out.splitlines()[-1] == "nothing missing, late or doubled"
    assert "1 submission" in out
    assert "1 submissions" not in out
    made.records.append(next(r for r in made.records if r.topic.startswith("inbox."))._replace(offset=99))
    _, out, _ = hx_on(made)("reconcile", "--since", since, "--until", until)
    assert "doubled and harmless: 1 " in out
    assert out.splitlines()[-1] == "nothing missing or late"


@pytest.mark.parametrize(
    ("count", "kind", "told"),
    [
        (1, "submissions", "1 submission"),
        (2, "submissions", "2 submissions"),
        (1, "delivery", "1 delivery"),
        (2, "delivery", "2 deliveries"),
        (0, "receipt", "0 receipts"),
        (1, "case", "1 case"),
        (1, "deliveries", "1 delivery"),
    ],
)
def test_a_count_has_the_form_of_its_number(count: int, kind: str, told: str) -> None:
    """One is told as one, any other number as many, whichever form the unit came in."""
    assert counted_as(count, kind) == told


def test_whoever_waits_for_kafka_reads_at_once_what_for(hx: Hx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first attempt has failed the address is named, and the last line says what to do."""
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("HX_KAFKA_SECURITY", "none")
    monkeypatch.setattr("operations.reading._CONNECT_MS", 100)
    code, _, err = hx("cases", "list")
    first, last = err.splitlines()
    assert (code, first) == (69, "no Kafka answers at 127.0.0.1:9 yet: trying on")
    assert "hx kafka start" in last


def test_a_port_that_takes_connections_needs_no_words() -> None:
    """Where something listens at one of the addresses nothing is announced."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert session.takes_connections(f"127.0.0.1:9,{address}")
    assert not session.takes_connections("127.0.0.1:9,[::1]:9")


def test_escalations_and_receipts_name_the_event_by_which_evidence_is_asked_for(
    hx_on: HxOn, paper: PaperExchange
) -> None:
    """Police finds in a line what 'hx evidence' takes, and a member which submission is answered."""
    event_id = paper.report(URL + "again", country="XT")
    hx = hx_on(paper)
    told = hx("inbox", "tail", "--escalations", "interpol")[1]
    assert f"report {event_id}  case " in told
    assert f"of {event_id}  accepted" in hx("inbox", "tail", "gb-iwf")[1]


def test_the_desk_is_opened_with_the_ring_of_a_mandated_hotline(
    hx_on: HxOn, paper: PaperExchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The desk has no keys: without --as the hotlines with the mandate are named, and no file is missed."""
    monkeypatch.setenv("HX_KEYS", f"file:{tmp_path}/{{member}}.jwks")
    hx = hx_on(paper)
    code, _, err = hx("inbox", "tail", "desk-orphans", "--open")
    assert (code, "by --as" in err) == (2, True)
    mandated = err.rstrip().rpartition("one of ")[2].split(", ")
    assert "gb-iwf" in mandated
    assert "fr-police" not in mandated
    create_ring(tmp_path / f"{mandated[0]}.jwks", KeyRing([PrivateKey.new("seal")]))
    assert hx("inbox", "tail", "desk-orphans", "--open", "--as", mandated[0])[0] == 0
    code, _, err = hx("inbox", "tail", "--escalations", "interpol", "--open", "--as", "interpo")
    assert (code, "did you mean interpol" in err) == (2, True)
    assert hx("inbox", "tail", "desk-orphans", "--as", mandated[0])[0] == 2


def test_the_reports_of_a_complaint_are_found_together(hx_on: HxOn) -> None:
    """Cases are listed by a complaint, and each shows which others its complaint has."""
    paper = PaperExchange()
    urls = [f"{URL}{number}" for number in range(3)]
    for url, complaint in zip(urls, ("c-7", "c-7", None), strict=True):
        paper.report(url, complaint_id=complaint)
    ids = [paper.case(url).case_id for url in urls]
    hx = hx_on(paper)
    out = hx("cases", "list", "--complaint", "c-7", "--json")[1]
    assert [case_id in out for case_id in ids] == [True, True, False]
    assert f"complaint c-7: also in cases {ids[1]}" in hx("cases", "show", ids[0])[1]
    assert "complaint" not in hx("cases", "show", ids[2])[1].splitlines()[-1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ReportContent(url="https://a.example/1", note="n"), "https://a.example/1"),
        (ActionContent(note="seen\x1b[2J", police_reference="P-1"), "seen?[2J; P-1"),
        (ActionContent(new_url="https://b.example/2"), "https://b.example/2"),
        (ActionContent(), ""),
    ],
)
def test_an_opened_message_shows_what_was_written(content: ReportContent | ActionContent, told: str) -> None:
    """Of a report the address is shown, of an action its words, and nothing in them steers a terminal."""
    assert words_in(content) == told
