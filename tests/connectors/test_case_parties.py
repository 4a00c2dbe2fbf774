import msgspec
import pytest

from casework.messages import Delivery
from connectors.case_parties import CaseParties
from connectors.drafts import ActionDraft

TOLD = Delivery(
    case_id="c-1", url_key=b"\x01" + bytes(32), recipient="nl-offlimits", number=1, kind="update",
    delivery_id="d", environment="test", round=1, leg=1, state="assigned", fact="note", fact_number=3,
    by="exchange", occurred_at=0, admitted_at=0, submitted_at=0, hosting_country="NL",
    assigned_hotline="nl-offlimits", origin="gb-iwf",
)  # fmt: skip
POLICE: tuple[dict[str, object], ...] = (
    {"action": "hold"},
    {"action": "note", "police_reference": "P-1"},
    {"action": "note", "police_unit": "U"},
    {"action": "acknowledged", "has_police_reference": True},
)


def told(**changes: object) -> Delivery:
    """Return a delivery of a case in which gb-iwf is the origin."""
    return msgspec.structs.replace(TOLD, **changes)


def test_an_action_about_a_delivery_is_for_those_it_names() -> None:
    """The origin, the responsible hotline and who acted can read what is answered; the exchange is nobody."""
    draft = ActionDraft.about(told(by="nl-police"), "note", note="n")
    assert draft.parties == ("nl-offlimits", "gb-iwf", "nl-police")


@pytest.mark.parametrize("fields", POLICE)
def test_what_is_confidential_is_for_the_responsible_hotline(fields: dict[str, object]) -> None:
    """No origin is a reader of words about an investigation."""
    given = {name: value for name, value in fields.items() if name != "action"}
    draft = ActionDraft.about(told(), str(fields["action"]), **given)
    assert draft.parties == ("nl-offlimits",)
    known = CaseParties("nl-police")
    known.note(told())
    assert known.complete(draft).parties == ("nl-offlimits",)


def test_all_that_an_inbox_named_are_parties() -> None:
    """Whoever was named in any delivery of the case is sealed for, oneself left out."""
    known = CaseParties("nl-offlimits")
    known.note(told())
    known.note(told(origin="de-eco"))
    known.note(told(assigned_hotline="be-childfocus", by="nl-police"))
    draft = ActionDraft(action="note", hosting_country="NL", case_id="c-1", note="n")
    assert set(known.complete(draft).parties) == {"gb-iwf", "de-eco", "be-childfocus", "nl-police"}
    other = ActionDraft(action="note", hosting_country="NL", case_id="c-2", note="n")
    assert known.complete(other) == other


def test_only_the_newest_cases_are_remembered() -> None:
    """Memory is bounded, however many cases pass."""
    known = CaseParties("nl-offlimits", limit=2)
    for number in range(5):
        known.note(told(case_id=f"c-{number}"))
    drafts = [ActionDraft(action="note", hosting_country="NL", case_id=f"c-{n}") for n in range(5)]
    assert [bool(known.complete(draft).parties) for draft in drafts] == [False] * 3 + [True] * 2
