"""What `hx members list` tells of each member's rights."""

import json
from collections.abc import Callable

import msgspec
import pytest
from paper_exchange import network

from casework.directory import CountryRule, HotlineShare, Member
from operations.directory.rights import rights_of

Hx = Callable[..., tuple[int, str, str]]
HOTLINE = Member("de-eco", "hotline", "Germany", ("DE",))
POLICE = Member("nl-police", "law_enforcement", "Netherlands", ("NL",))


@pytest.mark.parametrize(
    ("member", "rule", "told"),
    [
        (HOTLINE, {}, ()),
        (msgspec.structs.replace(HOTLINE, mandates=("orphans",)), {}, ("claims orphans",)),
        (HOTLINE, {"routing": "claim"}, ("claims in DE",)),
        (
            HOTLINE,
            {
                "routing": "remit",
                "hotlines": (HotlineShare("de-eco", classifications=("baseline", "national")),),
            },
            ("takes in DE: classifications baseline national",),
        ),
        (HOTLINE, {"hotlines": (HotlineShare("de-fsm", remit=("grooming",)),)}, ()),
        (
            msgspec.structs.replace(POLICE, liaison="nl", feed="all_hosted", feed_informs_police=True),
            {},
            ("feed all_hosted, informs police", "escalations nl"),
        ),
        (
            msgspec.structs.replace(POLICE, liaison="nl", reads_escalations=False),
            {},
            ("escalations nl, nobody reads them",),
        ),
        (msgspec.structs.replace(HOTLINE, may_receive_from=("AT", "DE")), {}, ("receives from AT DE only",)),
        (msgspec.structs.replace(HOTLINE, may_receive_from=()), {}, ("receives from nobody only",)),
    ],
)
def test_rights_are_told_in_words(member: Member, rule: dict[str, object], told: tuple[str, ...]) -> None:
    """Mandates, claims, remits, feeds, escalations and transfers are told, and nothing of another member."""
    country = CountryRule("DE", "Germany", **({"hotlines": (HotlineShare("de-eco"),)} | rule))  # type: ignore[arg-type] # fields
    directory = msgspec.structs.replace(network(), members=(member,), countries=(country,))
    assert rights_of(directory, member) == told


def test_the_list_shows_who_may_claim_orphans(hx: Hx) -> None:
    """The mandate stands in the table and in the JSON, and narrows the list; an unknown one is an error."""
    code, out, _ = hx("members", "list", "--mandate", "orphans", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert found
    assert all("claims orphans" in one["rights"] and one["mandates"] == ["orphans"] for one in found)
    table = hx("members", "list", "--country", "NL")[1]
    assert "escalations nl" in table
    assert hx("members", "list", "--mandate", "everything")[0] == 2
