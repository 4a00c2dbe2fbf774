"""`hx kafka`: the embedded Kafka in the background."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json
from operations.embedded_kafka import EmbeddedKafka, kafka_home

app = typer.Typer(
    help="A real Apache Kafka on this machine: for a first look, the demo and tests, not for production."
)

Directory = Annotated[
    Path | None, typer.Option("--directory", help="Its directory; default HX_KAFKA_DIR or the user's cache.")
]


@app.command()
def start(
    directory: Directory = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 9092,
    heap_mb: Annotated[int, typer.Option(help="Java heap in MiB.")] = 512,
    as_json: AsJson = False,
) -> None:
    """Start Kafka in the background and print its address; code 1 if it runs already.

    Example: hx kafka start
    """
    home = directory or kafka_home()
    running = EmbeddedKafka.running(home)
    if running is not None:
        leave(
            Exit.NO,
            f"an embedded Kafka already runs at {running.bootstrap} (process {running.pid}): use it, "
            "or end it with 'hx kafka stop'",
        )
    print(EmbeddedKafka.announcement(), file=sys.stderr, flush=True)
    broker = EmbeddedKafka.start(home, port=port, heap_mb=heap_mb)
    _show(broker, as_json=as_json)


@app.command()
def stop(directory: Directory = None) -> None:
    """Stop it; its data stays.

    Example: hx kafka stop
    """
    broker = EmbeddedKafka.running(directory or kafka_home())
    if broker is None:
        leave(Exit.NO, "no embedded Kafka is running")
    broker.stop()
    print("stopped")


@app.command()
def status(directory: Directory = None, as_json: AsJson = False) -> None:
    """Say whether it runs and where; exit code 1 if it does not.

    Example: hx kafka status
    """
    broker = EmbeddedKafka.running(directory or kafka_home())
    if broker is None:
        if as_json:
            print_json({"running": False})
        leave(Exit.NO, None if as_json else "no embedded Kafka is running")
    _show(broker, as_json=as_json)


def _show(broker: EmbeddedKafka, *, as_json: bool) -> None:
    if as_json:
        print_json({"running": True, "bootstrap": broker.bootstrap, "pid": broker.pid})
    else:
        print(f"Kafka answers at {broker.bootstrap} (process {broker.pid})")
