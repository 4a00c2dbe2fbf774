"""Stories that dice rarely throw: what takes many steps in one order."""

from histories import ACTS, DAY, DIRECTORIES, HOUR, REPORTS, REWRAPS, SOME, Line


def said(action: str, by: str, **fields: object) -> Line:
    """Answer the line of an action that is sent in earnest."""
    return {name: values[0] for name, values in ACTS.items()} | {"play": (action, by), **fields}


def reported(country: str, **fields: object) -> Line:
    """Answer the line of a report."""
    return {name: values[0] for name, values in REPORTS.items()} | {"country": country, **fields}


def without(*members: str) -> Line:
    """Answer the line of a version of the directory in which members are suspended."""
    return {name: values[0] for name, values in DIRECTORIES.items()} | {"suspended": members}


def passed(duration: int) -> Line:
    """Answer the line of passing time."""
    return {"what": "later", "duration": duration}


def failing(failures: int = 1, waits: int = 1, how: str = "decided") -> Line:
    """Answer the line of a trouble: the rules fail on the next record, and operators let it go on later."""
    return {"what": "trouble", "failures": failures, "waits": waits, "how": how}


def ruled(**rules: str) -> Line:
    """Answer the line of a directory with rules of its own."""
    return {name: values[0] for name, values in DIRECTORIES.items()} | rules


NOTICED = {"what": "wake", "step": "acknowledge"}
AS_REMOVED = ("removed", "responsible")
POLICE = {"by_anybody": "nl-police", "ahead": 200 * DAY}
ENCLOSING = next(one for one in SOME if one["sealed_for"] is not None)
STORIES: dict[str, list[Line]] = {
    "a claim that is only acknowledged ends": [
        reported("FR"),
        said("claim", "pool"),
        said("acknowledged", "responsible"),
        passed(DAY),
        NOTICED,
    ],
    "many moves are told once": [
        reported("NL"),
        *[said("moved", "responsible", new_country=country) for country in ("DE", "NL", "DE", "NL", "DE")],
    ],
    "an end is taken back after all reports were": [
        reported("NL"),
        said(*AS_REMOVED),
        said("withdraw", "origin", aim="own report"),
        said("corrected", "maker"),
        passed(8 * DAY),
        NOTICED,
    ],
    "an origin takes back more reports than the case knows": [
        *[reported("NL", sender="gb-iwf", delay=0)] * 20,
        *[said("withdraw", "origin", aim="an own report")] * 40,
        said("withdraw", "origin", role="registrar"),
        reported("NL", sender="gb-iwf", delay=0),
        said("withdraw", "origin", aim="an own report"),
    ],
    "police take back that they have an escalation": [
        reported("NL") | {"urgency": ("possible_new_victim",)},
        said("acknowledged", "police", **POLICE),
        said("corrected", "maker"),
        passed(5 * HOUR),
        NOTICED,
    ],
    "police take back that they read their feed": [
        reported("NL"),
        said("acknowledged", "police", **POLICE),
        said("corrected", "maker"),
        said("police_informed", "responsible"),
        said("acknowledged", "police", **POLICE),
    ],
    "a hotline renews a hold of police": [
        reported("NL"),
        said("hold", "police", **POLICE),
        said("hold", "responsible", ahead=205 * DAY),
        said("release", "responsible"),
        said("release", "police", **POLICE),
    ],
    "a hold outlives its liaison": [
        *[reported("NL"), said("hold", "police", **POLICE), without("nl-police"), passed(38 * DAY), NOTICED],
        said("hold", "responsible", role=None, ahead=200 * DAY),
        said("release", "responsible"),
        said("release", "police", by_anybody="europol"),
    ],
    "a hotline ends the hold of police that are gone": [
        *[reported("NL"), said("hold", "police", **POLICE), without("nl-police")],
        said("provider_informed", "responsible", role="registrar"),
        said("release", "responsible"),
    ],
    "a new address waits for whoever claims the case": [
        *[reported("NL"), said("moved", "responsible", new_country="FR", some=ENCLOSING)],
        *[said("claim", "pool"), said("decline", "responsible"), said("claim", "pool")],
    ],
    "a new address is taken back before anybody claims the case": [
        *[reported("NL"), said("moved", "responsible", new_country="FR", some=ENCLOSING)],
        *[said("corrected", "maker"), said("claim", "pool")],
    ],
    "two holds pause the clock one after the other": [
        reported("NL"),
        *[said("hold", "police", **POLICE), passed(5 * HOUR), said("release", "police", **POLICE)] * 2,
        passed(8 * DAY),
        NOTICED,
    ],
    "all that waits in a parked case comes to nothing": [
        failing(waits=2),
        *[said("unavailable", "responsible", reason=None)] * 2,
        passed(HOUR),
        reported("NL"),
    ],
    "a parked case fails again and is given up in part": [
        reported("NL"),
        failing(failures=2, how="skipped"),
        said("assessed", "responsible"),
        said("acknowledged", "responsible"),
        said(*AS_REMOVED),
        passed(8 * DAY),
        *[NOTICED] * 5,
    ],
    "deadlines that passed while a case was parked fire at their own times": [
        reported("NL"),
        failing(waits=3),
        said("assessed", "responsible"),
        passed(2 * DAY),
        said("police_informed", "responsible"),
        passed(8 * DAY),
        NOTICED,
    ],
    "a later leg goes by what the opening report says": [
        ruled(remits="by topic"),
        reported("DE", topic="csam_textual", site="forum"),
        said("decline", "responsible"),
        said("decline", "responsible"),
    ],
    "an assessment sends a declined case to another hotline": [
        ruled(remits="by assessment"),
        reported("DE", classification="baseline"),
        said("decline", "responsible"),
    ],
    "who may not receive a report is told of it and gets none": [
        ruled(receives="few for hotlines"),
        reported("NL"),
        reported("NL", sender="de-eco"),
        said("decline", "responsible", reason="wrong_country", new_country="DE"),
    ],
    "a report that its hotline may not have ends no wait for content": [
        ruled(receives="few for hotlines"),
        reported("NL", sealed_for=[]),
        reported("NL", sender="de-eco", sealed_for=["nl-offlimits"]),
        reported("NL", sealed_for=[]),
        {name: values[0] for name, values in REWRAPS.items()}
        | {"usual": "gb-iwf", "sealed_for": ["nl-offlimits"]},
    ],
    "a re-wrap of a report that its hotline may not have is for nobody": [
        ruled(receives="few for hotlines"),
        reported("NL", sealed_for=[]),
        reported("NL", sender="de-eco", sealed_for=[]),
        {name: values[0] for name, values in REWRAPS.items()}
        | {"usual": "de-eco", "sealed_for": ["nl-offlimits"]},
    ],
    "who may not receive from an origin gets its case by no transfer": [
        ruled(receives="few for all"),
        reported("DE"),
        said("transfer", "responsible", some={"to_member": "de-fsm"}),
        said("transfer", "responsible", some={"to_member": "de-jugend"}),
        said("transfer", "responsible", some={"to_member": "de-eco"}),
    ],
    "an authority that may not receive from an origin is passed over": [
        ruled(receives="few for all"),
        reported("DE"),
        said("police_informed", "responsible"),
        passed(3 * HOUR),
        said("provider_informed", "responsible"),
        passed(8 * DAY),
        NOTICED,
        passed(DAY),
        NOTICED,
    ],
    "an observation that is followed is handed on by its own number": [
        reported("XT"),
        passed(HOUR),
        said("observed", "origin", new_country="DE", seen=0, some={"sealed_for": ["de-eco"]}),
        said("corrected", "maker"),
    ],
    "many related cases are named": [reported("NL"), *[said("note", "origin")] * 8],
    "a country shortens its holds while one is in force": [
        reported("NL"),
        said("hold", "police", by_anybody="nl-police", ahead=150 * DAY),
        ruled(holds="of countries"),
        said("hold", "police", by_anybody="nl-police", ahead=None),
        said("hold", "police", by_anybody="nl-police", ahead=150 * DAY),
    ],
    "a case becomes a stub and is reported again": [
        reported("NL"),
        said(*AS_REMOVED),
        passed(100 * DAY),
        NOTICED,
        passed(8 * DAY),
        NOTICED,
        {"what": "wake", "step": "shrink"},
        reported("DE"),
    ],
}
"""What dice rarely throw."""
