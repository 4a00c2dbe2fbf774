"""The small network of the everyday tests: who is in it, and which rules its countries have."""

from typing import Any

import msgspec

from casework.directory import HOUR_MS, Directory, HotlineShare
from operations.directory.document import build

HOTLINES = (
    *("nl-offlimits", "gb-iwf", "de-eco", "de-fsm", "de-jugendschutz", "ie-hotline", "bg-safenet"),
    *("it-save-the-children", "it-telefono-azzurro"),
)
OTHERS = (
    *("nl-atkm", "nl-police", "de-police", "gb-police", "ie-police", "bg-police", "us-police"),
    *("interpol", "europol", "inhope"),
)
FEEDS: dict[str, dict[str, Any]] = {
    "interpol": {"feed": "all_confirmed"},
    "gb-police": {"feed": "all_hosted", "feed_informs_police": True},
}
_RULES: dict[str, dict[str, Any]] = {
    "NL": {"notice_rule": "police_first", "police_wait_ms": HOUR_MS, "second_liaison": "europol"},
    "IE": {"notice_rule": "police_consent"},
    "DE": {
        "routing": "claim",
        "hotlines": tuple(HotlineShare(one) for one in ("de-eco", "de-fsm", "de-jugendschutz")),
        "own_reports": "keep",
    },
}


def everyday_directory() -> Directory:
    """Answer a small network.

    Police come first in NL and must consent in IE; DE's hotlines claim; IT has two, by weight; BG and GB have
    police and no authority; US has police and no hotline; HK has neither.
    """
    whole = build(environment="test", published_at=1, candidates="admit")
    members = tuple(
        msgspec.structs.replace(member, **FEEDS.get(member.id, {}))
        for member in whole.members
        if member.id in {*HOTLINES, *OTHERS}
    )
    rules = []
    for rule in whole.countries:
        shares = tuple(share for share in rule.hotlines if share.member in HOTLINES)
        rules.append(msgspec.structs.replace(rule, **{"hotlines": shares, **_RULES.get(rule.code, {})}))
    return msgspec.structs.replace(
        whole,
        valid_from=1,
        members=members,
        countries=tuple(rules),
        slot_count=4,
        slots={"NL": (0, 1), "DE": (2,)},
        rest_slots=(3,),
    )
