"""Parsers of files of reports and actions, and of the addresses in them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from parser_promises import MARK, Parser, in_file
from sound_messages import ACTION, DIRECTORY, EQUIPMENT, KEY, NOW, SENDER, URL

from casework.errors import BadInputError
from casework.urls import canonical_url
from connectors.membership import Membership
from operations.files import FileRefusedError, Problem, prepared_lines, read_actions, read_reports
from streams.clock import ManualClock


def _lines(read: Callable[[Path], Iterable[Any]]) -> Callable[[Path], object]:
    client = Membership(
        member=SENDER,
        environment="test",
        network_key=EQUIPMENT.network_key,
        kafka={},
        keys=EQUIPMENT.rings[SENDER],
    )
    counter = iter(range(1 << 60))

    def prepare(draft: Any) -> Any:  # noqa: ANN401 - a draft
        return client.prepare(
            draft, DIRECTORY, ManualClock(NOW), lambda _ms: f"0199c82a-0000-7000-8000-{next(counter):012x}"
        )

    def through(path: Path) -> object:
        return list(prepared_lines(read(path), prepare))

    return through


def _lines_hold(_data: bytes, found: Any) -> None:  # noqa: ANN401 - lines and problems
    for item in found:
        assert not isinstance(item, Problem) or MARK not in f"{item.violation}", "a problem repeats a value"


CSV = (
    f'url,hosting_country,received_at,reference,content_type,sibling_items,note\n"{URL}",BE,2026-11-01T10:00:00Z,'
    f'{MARK},media,{URL} {URL},"{MARK}"\n'
).encode()
JSONL = (
    f'{{"url":"{URL}","hosting_country":"BE","received_at":"2026-11-01T10:00:00Z","reference":"{MARK}",'
    f'"content_type":"media","sibling_items":["{URL}"],"note":"{MARK}"}}\n'
).encode()
ACTIONS = (
    f'{{"action":"acknowledged","hosting_country":"BE","case_id":"{ACTION.case_id}","url_key":"{KEY.hex()}",'
    f'"reference":"{MARK}"}}\n'
).encode()
PARSERS = (
    Parser(
        "reports, CSV",
        (CSV,),
        in_file("reports.csv", _lines(read_reports)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "reports, JSON lines",
        (JSONL,),
        in_file("reports.jsonl", _lines(read_reports)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "actions, JSON lines",
        (ACTIONS,),
        in_file("actions.jsonl", _lines(read_actions)),
        (FileRefusedError,),
        _lines_hold,
    ),
    Parser(
        "addresses",
        (URL.encode(),),
        lambda data: canonical_url(data.decode("utf-8", "surrogateescape")),
        (BadInputError,),
    ),
)
