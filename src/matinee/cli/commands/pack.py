"""``matinee pack DATA --out FOLDER``: ratings on disk, for fits on more than memory holds."""

import sys
import time
from pathlib import Path

import click

from matinee.cli.console import json_option, print_json, program, say, width, wrap
from matinee.cli.options.reading import SAMPLE, ReadOptions, reading_options
from matinee.cli.progress import progress
from matinee.display.text import counted, seconds
from matinee.errors import BadSetting


@click.command("pack")
@click.argument("data")
@click.option("--out", required=True, metavar="FOLDER", help="Where to put the packed ratings.")
@click.option(
    "--memory",
    default="1GB",
    show_default=True,
    metavar="SIZE",
    help="How much sorting may hold in memory; the rest goes to disk.",
)
@reading_options
@json_option
def command(data: str, out: str, memory: str, reading: ReadOptions, as_json: bool) -> None:
    """Pack ratings on disk, for fits beyond memory.

    The folder takes the place of DATA in matinee fit. DATA is a MovieLens folder or zip, a
    text or Parquet file, of any size. After an interruption, the same command resumes.
    """
    from matinee.data.packed import is_packed
    from matinee.sources.packing.pack import pack

    if data == SAMPLE:
        raise BadSetting("the embedded sample is too small to pack; give a file")
    if is_packed(out):
        say(f"note: the ratings that are packed in {out} are replaced")
    started = time.perf_counter()
    with progress("pack") as step:
        try:
            packed = pack(data, Path(out), memory=memory, on_stage=step, **vars(reading))
        except KeyboardInterrupt:
            say("the same command resumes where it was")
            raise
    duration = time.perf_counter() - started
    say(wrap(str(packed.report["text"]), width(sys.stderr)))
    say(
        f"packed {counted(len(packed), 'rating')} of {counted(packed.n_items, 'item')} by "
        f"{counted(packed.n_users, 'user')} "
        f"in {seconds(duration)}: {packed.n_bytes / 1e6:,.1f} MB in {out}"
    )
    say(f"try: {program()} fit {out} --algorithm mf --out model")
    if as_json:
        facts = {name: value for name, value in packed.report.items() if name != "text"}
        print_json(
            {
                "packed": out,
                "users": packed.n_users,
                "items": packed.n_items,
                "ratings": len(packed),
                "bytes": packed.n_bytes,
                "fingerprint": packed.fingerprint,
                "seconds": duration,
                "reading": facts,
            }
        )
