"""The routing measure on a real broker, in small: its figures are worth something if it checks the work."""

from pathlib import Path

import pytest

from benchmarks import routing
from benchmarks.append_times import Appended
from benchmarks.ground import Ground
from benchmarks.peers import yardstick
from benchmarks.processes import ContestantError
from operations.embedded_kafka import EmbeddedKafka

RECORDS = yardstick.records(3000)


@pytest.mark.kafka
@pytest.mark.parametrize("name", ["ours", "aiokafka"])
def test_a_contestant_routes_every_record_once(name: str, kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """A drain ends with exactly the right bytes in the right topics, and its figures come out."""
    found = routing.drain(Ground(kafka.bootstrap, tmp_path), name, RECORDS)
    assert found["repeated"] == 0
    assert found["drained"] > 0
    assert found["rss_mb"] > 0


@pytest.mark.parametrize("fault", ["missing", "altered", "elsewhere"])
def test_wrong_work_is_noticed(fault: str) -> None:
    """A contestant that loses, alters or misplaces one record of thousands gets no figures."""
    places = yardstick.destinations("out.")
    found = []
    for key, value in RECORDS:
        topic, routed = yardstick.route_full(value, places)
        found.append(Appended(topic, 0, key, routed))
    routing.compare(RECORDS, 1, "out.", found)
    key, value = found[7].key, found[7].value
    if fault == "missing":
        del found[7]
    elif fault == "altered":
        found[7] = Appended(found[7].topic, 0, key, (value or b"")[:-1] + b"!")
    else:
        found[7] = Appended("out.xx", 0, key, value)
    with pytest.raises(ContestantError):
        routing.compare(RECORDS, 1, "out.", found)
