"""What may happen to a case in a random history: the lines a history is made of, and how they are chosen."""

import random
from typing import Any

from hypothesis import strategies as st
from model import network, variants

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HOTLINES = [name for name, one in network.MEMBERS.items() if one["kind"] == "hotline"]
EVERYBODY = [*network.MEMBERS, "nobody"]
FINAL = ("removed", "unavailable", "not_illegal")
STEPS = [*["acknowledged"] * 2, *["assessed"] * 3, *["police_informed"] * 2, *["provider_informed"] * 3]
PLAYS = [
    *[(step, "responsible") for step in [*STEPS, "removed", "unavailable", "not_illegal", "key_mismatch"]],
    *[("corrected", "maker")] * 4,
    *[("confirmed", "asked")] * 2,
    *[("moved", "responsible"), ("hosting_confirmed", "responsible"), ("moved", "origin")],
    *[("observed", "origin"), ("observed", "police"), ("reappeared", "origin")],
    *[("note", "former"), ("note", "secretariat")],
    *[("withdraw", "origin")] * 3,
    *[("acknowledged", "police")] * 2,
    *[("preserve", "police")] * 2,
    ("erase", "secretariat"),
    *[("hold", "police")] * 4,
    *[("hold", "responsible")] * 2,
    *[("release", "police")] * 3,
    ("release", "responsible"),
    *[("claim", "pool")] * 6,
    *[("hand_back", "responsible"), ("decline", "responsible"), ("decline", "responsible")],
    *[("transfer", "responsible")] * 2,
]
"""Actions, each with who would send it in earnest."""
SOME = [
    {
        "law_country": law,
        "is_online": online,
        "hosting_status": status,
        "observation": observation,
        "corrected_action": corrected,
        "analyst": "a" if online else None,
        "second_analyst": analyst,
        "has_police_reference": reference,
        "to_member": member,
        "sealed_for": None if online else [],
    }
    for law, online, status, observation, corrected, analyst, reference, member in [
        ("NL", True, None, None, None, "b", False, "de-eco"),
        ("NL", False, "provisional", "online", "removed", "b", True, "de-fsm"),
        ("NL", True, "confirmed", "geo_blocked", "assessed", None, False, "fr-point"),
        (None, True, None, "moved", None, "b", True, "fr-phare"),
        ("NL", False, None, "moved", "police_informed", "b", True, "fr-phare"),
        ("DE", True, "provisional", "offline", "unavailable", "b", False, "nl-offlimits"),
    ]
]
"""What actions may say beside, put together beforehand because each choice costs time."""
REPORTED = ["NL", "NL", "NL", "DE", "DE", "FR", "FR", "FR", "IE", "UK", "HK", "XT", "ZZ"]
SEALED = [None, None, [], [], ["nl-offlimits"], ["nl-offlimits", "de-eco"], ["de-fsm", "ie-hotline"]]
DELAYS = [0, 0, 0, 0, 0, 0, 1, 3, 7]
REPORTS = {
    "what": ["report"],
    "delay": DELAYS,
    "sender": [*HOTLINES, "gb-iwf", "gb-iwf"],
    "country": REPORTED,
    "urgency": [[], [], [], ["possible_new_victim"], ["abuse_in_progress"]],
    "classification": [None, None, "unassessed", "baseline", "national", "not_illegal"],
    "seen": [None, 0, -HOUR, -9 * DAY, DAY],
    "occurred": [0, 0, 0, -3 * DAY, 13 * HOUR],
    "host_seen": [None, None, 0, -HOUR, 5 * HOUR],
    "received": [-HOUR, -HOUR, -40 * DAY, 13 * HOUR],
    "hosting_status": ["confirmed", "confirmed", "provisional"],
    "topic": [None, "csam_textual", "grooming"],
    "site": [None, "forum", "file_host"],
    "type": ["media", "media", "website"],
    "sealed_for": SEALED,
}
AGAIN = REPORTS | {"sender": ["gb-iwf"], "delay": [0]}
"""So that an origin soon has many reports in a case."""
ACTS = {
    "what": ["act"],
    "delay": DELAYS,
    "play": PLAYS,
    "aim": [*["case"] * 24, "other", "own report", "an own report", "a report", "stale", *["this leg"] * 4],
    "by_anybody": [*[None] * 100, "nobody", *EVERYBODY],
    "reason": ["other", "other", "wrong_country", "key_mismatch", None],
    "role": [None, None, "host", "registrar"],
    "classification": ["baseline", "national", "not_illegal", "national", "unassessed", None],
    "seen": [None, 0, -HOUR, -9 * DAY, DAY],
    "occurred": [0, 0, 0, -3 * DAY, 13 * HOUR],
    "new_country": ["NL", "DE", "FR", "HK", "XT", "ZZ", None, None],
    "fact_number": [None, None, -1, -2, -4],
    "ahead": [DAY, 200 * DAY, -HOUR, 400 * DAY, None],
    "some": SOME,
}
REWRAPS = {
    "what": ["rewrap"],
    "delay": DELAYS,
    "usual": ["origin", "origin", "former", "responsible"],
    "aim": [*["case"] * 6, "other"],
    "which": [0, 1, 2],
    "swapped": [*[False] * 6, True],
    "sealed_for": SEALED,
}
COPIES = {"what": ["copy"], "how": ["repeated", "resent", "altered"], "which": list(range(60))}
PASSING = [
    MINUTE,
    HOUR // 2,
    HOUR,
    3 * HOUR,
    5 * HOUR,
    5 * HOUR,
    7 * HOUR,
    DAY,
    2 * DAY,
    8 * DAY,
    100 * DAY,
    -HOUR,
    -DAY,
]
TIMES = {"what": ["later"], "duration": PASSING}
WAKES = {"what": ["wake"], "step": ["acknowledge", "reassign", "reassign", "shrink", "shrink too late"]}
SUSPENDED = [
    (),
    (),
    (),
    ("nl-offlimits",),
    ("de-eco",),
    ("de-eco", "de-fsm"),
    ("nl-police", "nl-offlimits"),
    ("fr-phare",),
    ("interpol",),
]
RULES = {matter: [next(iter(ways)), *ways] for matter, ways in variants.MATTERS.items()}
"""The rules of a version of the directory: what is usual in each matter stands there twice."""
DIRECTORIES = {"what": ["directory"], "suspended": SUSPENDED, **RULES}
TROUBLES = {
    "what": ["trouble"],
    "failures": [1, 1, 1, 2],
    "waits": [0, 1, 3, 8],
    "how": ["decided", "decided", "decided", "skipped", "deleted"],
}
LINES = [
    *[REPORTS] * 3,
    AGAIN,
    *[ACTS] * 18,
    *[REWRAPS, COPIES, *[TIMES] * 3, WAKES, DIRECTORIES, TROUBLES],
]
"""All lines a history may have, each with what may stand in its fields; what is likely stands there often."""

Line = dict[str, Any]


def histories(length: int) -> st.SearchStrategy[list[Line]]:
    """Answer histories of up to so many lines, as hypothesis draws and shrinks them.

    Their length is drawn first: left to itself, hypothesis draws five lines or so.
    """
    fields = [{name: st.sampled_from(of) for name, of in one.items()} for one in LINES]
    line = st.one_of([st.fixed_dictionaries(one) for one in fields])
    return st.integers(0, length).flatmap(lambda drawn: st.lists(line, min_size=drawn, max_size=drawn))


def dice(seed: int, length: int) -> list[Line]:
    """Answer a history in which choices are as likely as the tables say: hypothesis heeds no such thing.

    In every other one two to six hotlines report, so that the same ones come again and again.
    """
    luck = random.Random(seed)  # noqa: S311 - the same again for the same seed
    reporting = luck.sample(HOTLINES, luck.randint(2, 6)) if seed % 2 else REPORTS["sender"]
    tables = [DIRECTORIES, *(luck.choice(LINES) for _ in range(length - 1))]
    lines = [{name: luck.choice(values) for name, values in table.items()} for table in tables]
    return [line | {"sender": luck.choice(reporting)} if line["what"] == "report" else line for line in lines]
