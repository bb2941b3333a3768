"""``matinee verify PATH``: check that a model or packed ratings are intact."""

import time
from pathlib import Path

import click

from matinee.cli.console import json_option, print_json, say
from matinee.display.text import counted, seconds


@click.command("verify")
@click.argument("path", metavar="PATH")
@json_option
def command(path: str, as_json: bool) -> None:
    """Check every file of a model or of packed ratings.

    PATH is the folder. Each file is compared with the digest in its manifest, and each array is
    checked for what it may hold. Whatever loads a model or opens packed ratings checks the same.
    """
    from matinee.data.packed import PackedRatings, is_packed
    from matinee.models import load

    started = time.perf_counter()
    kind = "packed ratings" if is_packed(path) else "model"
    described = repr(PackedRatings.open(path) if is_packed(path) else load(path))
    files = [file for file in Path(path).iterdir() if file.is_file()]
    n_bytes = sum(file.stat().st_size for file in files)
    if as_json:
        print_json({"path": path, "kind": kind, "files": len(files), "bytes": n_bytes})
        return
    say(f"{described}")
    duration = seconds(time.perf_counter() - started)
    say(f"intact: {counted(len(files), 'file')}, {n_bytes:,} bytes, checked in {duration}")
