"""Parsers of what an operator sets: settings, clocks and fault texts; their errors show the value."""

from parser_promises import Parser, in_file

from streams.clock import ClockFormatError, parse_clock
from streams.fault_points import FaultPoints, FaultTextError
from streams.settings import Settings, SettingsError

TOML = b'environment = "demo"\nbootstrap = "127.0.0.1:9092"\npartitions = 12\nheartbeat_s = 2.0\nclock = ""\n'
PARSERS = (
    Parser(
        "settings",
        (TOML,),
        in_file("settings.toml", lambda path: Settings.load({}, path)),
        (SettingsError,),
        repeats=True,
    ),
    Parser(
        "clocks",
        (b"2022-01-03T00:00:00Z@1700000000000x600",),
        lambda data: parse_clock(data.decode("utf-8", "surrogateescape")),
        (ClockFormatError,),
        repeats=True,
    ),
    Parser(
        "fault texts",
        (b"seed:7;casekeeper.after_effects:kill@3", b"seed:1"),
        lambda data: FaultPoints.from_text(data.decode("utf-8", "surrogateescape")),
        (FaultTextError,),
        repeats=True,
    ),
)
