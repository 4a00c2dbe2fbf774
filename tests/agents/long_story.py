"""A long fixed story of a small network, told to the real intake and casekeeper without Kafka."""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from apt_actions import apt_action
from sealed_samples import sealed_for, sealing_key_of

from agents.intake import Intake
from benchmarks import stages
from casework import codes
from casework.directory import (
    CaseworkLimits,
    CountryRule,
    Deadlines,
    Directory,
    HotlineShare,
    Member,
    PseudoCountry,
)
from casework.dsse import signed_statement
from casework.due import REASSIGN
from casework.ids import new_event_id
from casework.messages import (
    ActionContent,
    ActionStatement,
    Admitted,
    Case,
    Label,
    Message,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.protection import binding_of
from casework.public_keys import PublicKey
from casework.sealed_content import to_bytes
from casework.transitions import ACTIONS
from streams import wire
from streams.key_rings import PrivateKey, Signer
from streams.slots import partition_of
from streams.topics import Topics

START: Final = 1_760_000_000_000
HOUR: Final = 3_600_000
ROUNDS: Final = 115
TOPICS: Final = Topics()
HOTLINES: Final = ("nl-one", "gb-one", "gb-two", "de-one", "de-two", "de-far", "ie-one")
OTHERS: Final = ("nl-police", "gb-police", "interpol", "europol")
LIMITS: Final = CaseworkLimits(
    lease_ms=30 * HOUR,
    unclaimed_ms=9 * HOUR,
    answer_host_ms=30 * HOUR,
    max_moves=0,
    confirm_ms=9 * HOUR,
    erase_ms=9 * HOUR,
)
"""Short ones: the story lasts for weeks, not for months."""
COUNTRIES: Final = (*("NL", "UK", "DE", "IE", "US", "T1", "ZZ", "NL", "DE") * 4, "XX")


def _signing_key(name: str) -> PrivateKey:
    return PrivateKey.of("sign", hashlib.sha256(b"sign" + name.encode()).digest())


def _keys(name: str) -> tuple[PublicKey, ...]:
    return (sealing_key_of(name), _signing_key(name).entry(0))


def _directory(version: int, *, nl: str = "active") -> Directory:
    def hotline(name: str, **more: Any) -> Member:  # noqa: ANN401 - fields of Member
        fields = {"status": nl if name == "nl-one" else "active", **more}
        return Member(name, "hotline", name, (name[:2].upper(),), keys=_keys(name), **fields)

    def police(name: str, liaison: str, *countries: str, **more: Any) -> Member:  # noqa: ANN401 - fields of Member
        fields = {"status": "active", "liaison": liaison, "keys": _keys(name), **more}
        return Member(name, "law_enforcement", name, countries, **fields)

    shares = (HotlineShare("de-far"), HotlineShare("de-one", 2), HotlineShare("de-two", 1, ("grooming",)))
    return Directory(
        version=version,
        environment="test",
        published_at=0,
        valid_from=0,
        members=(
            *(hotline(name) for name in HOTLINES[:-1]),
            hotline("ie-one", mandates=("orphans",)),
            police("nl-police", "nl", "NL", feed="all_hosted", feed_informs_police=True),
            police("gb-police", "gb", "GB"),
            police("interpol", "interpol"),
            police("europol", "europol", feed="all_confirmed"),
            Member("nl-authority", "authority", "nl-authority", ("NL",), status="active"),
            Member("gb-authority", "authority", "gb-authority", ("GB",), status="active"),
            Member("office", "secretariat", "office", status="active", keys=_keys("office")),
        ),
        countries=(
            CountryRule("DE", "Germany", "remit", shares, own_reports="share"),
            CountryRule(
                "GB",
                "Great Britain",
                "claim",
                (HotlineShare("gb-one"), HotlineShare("gb-two")),
                own_reports="share",
            ),
            CountryRule("IE", "Ireland", hotlines=(HotlineShare("ie-one"),)),
            CountryRule(
                "NL",
                "Netherlands",
                hotlines=(HotlineShare("nl-one"),),
                deadlines=Deadlines(acknowledge_ms=HOUR),
                notice_rule="police_first",
                police_contact="113",
            ),
        ),
        pseudo_countries=(
            PseudoCountry("XT", "Tor", "tor", ("interpol", "europol")),
            PseudoCountry("ZZ", "unknown", "unknown_host", ("europol",), "desk-orphans"),
        ),
        slot_count=4,
        slots={"NL": (0, 1)},
        rest_slots=(2, 3),
        aliases={"UK": "GB", "T1": "XT"},
        deadlines=Deadlines(24 * HOUR, 24 * HOUR, 24 * HOUR, 36 * HOUR, 24 * HOUR),
        casework=LIMITS,
    )


DIRECTORIES: Final = {1: _directory(1), 2: _directory(2, nl="suspended")}


class Versions(stages.Versions):
    """A feed of two versions, of which the second comes later."""

    def __init__(self) -> None:
        super().__init__(DIRECTORIES[1])

    def valid_at(self, _stamp_ms: int, _now_ms: int) -> Directory:
        """Answer the newest version so far."""
        return DIRECTORIES[self.newest_version]

    def known(self, version: int) -> Directory:
        """Answer the version asked for."""
        return DIRECTORIES[version]


class Teller:
    """Makes up what members send, always the same."""

    def __init__(self) -> None:
        self.dice = random.Random(8)  # noqa: S311 - a story, not a secret
        self.now = START
        self.ids = 0
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.bound: dict[str, bytes] = {}

    def round(self, cases: list[Case]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield topic, key and value of a dozen submissions, some of them wrong or sent before."""
        for _ in range(12):
            self.now += self.dice.choice((1, 700, HOUR))
            roll = self.dice.random()
            if roll < 0.06 and self.sent:
                yield self.dice.choice(self.sent)
                continue
            is_report = roll < 0.35 or not cases
            made = self._report(cases) if is_report else self._action(self.dice.choice(cases))
            self.sent.append(made)
            yield made

    def wake_up(self, case: Case) -> Admitted:
        """Answer a wake-up of a case."""
        self.now += self.dice.choice((1, HOUR, 9 * HOUR))
        step = self.dice.choice(("acknowledge", REASSIGN, "shrink", "rewrap"))
        if case.state == "closed" and self.dice.random() < 0.7:
            step = "shrink"
        return Admitted(
            url_key=case.url_key, kind="wakeup", event_id=self._id(), environment="test", sender="",
            hosting_country="", admitted_at=self.now, submitted_at=self.now - 5,
            directory_version=self.dice.choice((1, 2)), rules_version=1,
            source_topic=TOPICS.cases_status, source_partition=0, source_offset=case.source_offset,
            due_at=self.now, step=step,
        )  # fmt: skip

    def _report(self, cases: list[Case]) -> tuple[str, bytes, bytes]:
        dice = self.dice
        key = dice.choice(cases).url_key if cases and dice.random() < 0.6 else b"\1" + dice.randbytes(32)
        urgency = dice.choice(((), (), (), ("possible_new_victim",), ("abuse_in_progress",)))
        judged = dice.choice((None, "baseline", "national", "unassessed", "doubtful"))
        content = ReportContent(
            url=dice.choice((*("https://h.example/ä", "https://h.test/p") * 9, "x")),
            note=dice.choice((None, "a note")),
            hosting_ip=dice.choice((None, "192.0.2.1")),
        )
        fields = self._fields(key, content, dice.choice((*HOTLINES, *HOTLINES, "nl-police", "xx-none")))
        statement = ReportStatement(
            **fields,
            received_at=self.now - dice.choice((0, HOUR, 26 * HOUR, -HOUR)),
            observed_at=dice.choice((None, self.now, self.now + HOUR, self.now - HOUR)),
            reference=dice.choice((f"ref-{self.ids}", "rëf", "r" * 40)),
            content_type=dice.choice(("media", "website")),
            complaint_id=dice.choice((None, "c-1")),
            content_topic=dice.choice((None, None, "grooming")),
            urgency=urgency,
            payment_methods=dice.choice(((), tuple(sorted(codes.PAYMENT_METHODS.codes))[:2])),
            classification=judged,
            law_country=None if judged is None else dice.choice(("DE", "UK")),
            labels=dice.choice(((), (Label(scheme="ucs", scheme_version="1", label="a"),))),
        )
        topic = TOPICS.reports_urgent if urgency else TOPICS.reports_submitted
        return self._framed(topic, statement, content)

    def _action(self, case: Case) -> tuple[str, bytes, bytes]:
        dice = self.dice
        senders = [case.assigned_hotline or "ie-one"] * 4 + [one.member for one in case.origins]
        content = ActionContent(note=dice.choice((None, "wörd")))
        key = dice.choice((case.url_key,) * 9 + (b"\1" + dice.randbytes(32),))
        fields = self._fields(key, content, dice.choice((*senders, *HOTLINES[:2], *OTHERS)))
        told = sorted(codes.ACTIONS.codes)
        action = dice.choice((*told, *sorted(ACTIONS) * 6))
        own = [one.last_event_id for one in case.origins] or [None]
        by_id = dice.random() < 0.7
        asked = case.rewrap_due_at is not None and dice.random() < 0.5
        apt: dict[str, Any] = {}
        if not asked and dice.random() < 0.7:
            by_id = True
            fields["url_key"] = case.url_key
            fields["sender"], action, apt = apt_action(case, dice, self.now)
            apt = {"reference": None, "reason_code": None, **apt}
        if asked:
            action, fields["sender"] = "rewrap", case.origins[0].member
        statement = ActionStatement(
            **fields,
            action=action,
            case_id=case.case_id if by_id or asked or action == "key_mismatch" else None,
            report_event_id=(
                own[0]
                if asked or action == "key_mismatch"
                else None
                if by_id
                else dice.choice((*own, new_event_id(START, bytes(10))))
            ),
            round=dice.choice((None, None, case.round, 9)),
            leg=dice.choice((None, None, max(case.leg, 1))),
            reference=dice.choice((None, "my-ref")),
            reason_code=dice.choice((None, *sorted(codes.REASONS.codes)[:3])),
            recipient_role=dice.choice((None, "host", "registrar")),
            is_online=dice.choice((True, False)),
            observed_at=dice.choice((self.now, self.now - 5)),
            new_hosting_country=dice.choice(("DE", "US")),
            hold_until=self.now + HOUR,
            classification=dice.choice(("baseline", "national", "not_illegal")),
            law_country=dice.choice(("DE", "UK", None)),
        )
        statement = msgspec.structs.replace(statement, **apt)
        return self._framed(TOPICS.actions_submitted, statement, content)

    def _fields(self, key: bytes, content: Message, sender: str) -> dict[str, Any]:
        dice = self.dice
        return {
            "event_id": self._id(),
            "environment": dice.choice(("test",) * 20 + ("demo",)),
            "sender": sender,
            "url_key": key,
            "hosting_country": dice.choice(COUNTRIES),
            "sent_at": self.now - 10,
            "url_key_next": dice.choice((None, b"\2" + bytes(range(32)))),
            "directory_version": 1,
            "occurred_at": self.now + dice.choice((0, -HOUR, HOUR)),
            "analyst": dice.choice((None, "a.1")),
            "content_digest": hashlib.sha256(wire.encode(content)).digest(),
        }

    def _framed(
        self, topic: str, statement: ReportStatement | ActionStatement, content: Message
    ) -> tuple[str, bytes, bytes]:
        dice = self.dice
        framed = wire.encode(content)
        if dice.random() < 0.4:
            bound = self.bound.setdefault(statement.event_id, binding_of(statement))
            if isinstance(statement, ActionStatement) and statement.action == "rewrap":
                bound = self.bound.get(statement.report_event_id or "", bound)
            sealed = sealed_for(dice.sample(HOTLINES, dice.choice((1, 2, 6))), bound)
            framed = to_bytes(sealed)
            statement = msgspec.structs.replace(
                statement, content_protection="jwe", content_digest=sealed.digest
            )
        submission = Submission(statement=wire.encode(statement), content=framed)
        if dice.random() < 0.3:
            key = _signing_key(statement.sender)
            kind = "report" if isinstance(statement, ReportStatement) else "action"
            message = signed_statement(kind, submission.statement[: -dice.choice((0, 0, 0, 1)) or None])
            signature = Signer(key).sign(message)
            submission = msgspec.structs.replace(submission, signature=signature, key_id=key.id)
        value = wire.encode(submission)
        return topic, statement.url_key, value[: self.dice.choice((len(value),) * 40 + (50,))]

    def _id(self) -> str:
        self.ids += 1
        return new_event_id(START, self.ids.to_bytes(10, "big"))


class Told:
    """Hands the story to the agents and keeps what they send."""

    def __init__(self) -> None:
        self.way = stages.Way(DIRECTORIES[1], "test")
        self.feed: Any = Versions()
        for agent in (self.way.intake, self.way.casekeeper):
            vars(agent)["_feed"] = self.feed
        self.teller = Teller()
        self.offsets: Counter[tuple[str, int]] = Counter()
        self.cases: dict[bytes, Case] = {}
        self.out: defaultdict[tuple[str, int, bytes], list[bytes]] = defaultdict(list)
        self.kinds: Counter[str] = Counter()

    async def tell(self) -> str:
        """Answer the digest of all that was sent, by topic, partition and key, each key's in its order."""
        for number in range(ROUNDS):
            if number == ROUNDS * 2 // 3:
                self.feed.newest_version = 2
            there = sorted(self.cases)[-9:]
            cases = [self.cases[key] for key in there]
            await self._hand(self.way.intake, self._placed(self.teller.round(cases)))
            admitted = [(out.topic, out.partition, out.key, out.value) for out in self._took()]
            admitted = [one for one in admitted if one[0] == TOPICS.cases_admitted]
            if cases and number % 2:
                closed = [case for _, case in sorted(self.cases.items()) if case.state == "closed"]
                for case in (cases[0], cases[-1], *self.teller.dice.sample(closed, min(3, len(closed)))):
                    place = partition_of(case.url_key, stages.PARTITIONS)
                    woken = wire.encode(self.teller.wake_up(case))
                    admitted.append((TOPICS.cases_admitted, place, case.url_key, woken))
            await self._hand(self.way.casekeeper, admitted)
            for out in self._took():
                if out.topic == TOPICS.cases_status:
                    self.cases.pop(out.key, None)
                    if out.value is not None:
                        self.cases[out.key] = wire.decode_as(Case, out.value)
        parts = [
            b"%s %d %s %s" % (topic.encode(), partition, key, b"".join(values))
            for (topic, partition, key), values in sorted(self.out.items())
        ]
        return hashlib.sha256(b"\n".join(parts)).hexdigest()

    def _placed(self, sent: Iterator[tuple[str, bytes, bytes]]) -> list[tuple[str, int, bytes, bytes]]:
        return [(topic, partition_of(key, 4), key, value) for topic, key, value in sent]

    async def _hand(self, agent: Intake | Any, sent: list[tuple[str, int, bytes, bytes]]) -> None:  # noqa: ANN401 - either agent
        records = []
        for topic, partition, key, value in sent:
            self.offsets[topic, partition] += 1
            records.append(
                SimpleNamespace(
                    topic=topic, partition=partition, offset=self.offsets[topic, partition], key=key,
                    value=value, timestamp=self.teller.now, headers=(),
                )
            )  # fmt: skip
        lanes: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
        for record in records:
            lanes[record.topic, record.partition].append(record)
        await agent.handle(
            tuple(stages.Batch(topic, partition, lane) for (topic, partition), lane in lanes.items())
        )

    def _took(self) -> list[Any]:
        taken = self.way.took()
        for out in taken:
            self.out[out.topic, out.partition, out.key].append(b"null" if out.value is None else out.value)
            if out.topic == TOPICS.cases_events:
                self.kinds[wire.decode(out.value).fact] += 1  # type: ignore[attr-defined] # all are facts
        return taken
