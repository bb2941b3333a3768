"""Check an sdist and a wheel before they are published: complete, of one version, well described.

    python .ci/check_distributions.py dist --tag v0.1.0

Ends with 1 and a line for everything that is wrong.
"""

import re
import subprocess
import sys
import tarfile
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "src/matinee/"
STATED = {  # where the version is written, and after what
    "src/matinee/__init__.py": r'^__version__ = "([^"]+)"',
    "CITATION.cff": r"^version: (\S+)",
    "CHANGELOG.md": r"^## \[([^]]+)\]",
}
FIELDS = ("Summary", "License-Expression", "Requires-Python", "Description-Content-Type")


def stated_versions() -> dict[str, str]:
    """The version by the file that states it; an empty text where it does not."""
    found = {}
    for name, pattern in STATED.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        match = re.search(pattern, text, re.MULTILINE)
        found[name] = match[1] if match else ""
    return found


def tracked_files() -> set[str]:
    """What the repository holds, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split("\0")) - {""}


def wrong_with_versions(tag: str | None) -> Iterator[str]:
    """Files, and a tag, that name another version than the package."""
    versions = stated_versions()
    version = versions["src/matinee/__init__.py"]
    for name, stated in versions.items():
        if stated != version:
            yield f"{name} says version {stated!r}, the package {version!r}"
    if tag is not None and tag != f"v{version}":
        yield f"the tag is {tag}, the version {version}"


def wrong_with_wheel(path: Path, tracked: set[str]) -> Iterator[str]:
    """What a wheel lacks, what it has beside the package, and what its metadata leave open."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        inside = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(inside))
    package = {name for name in names if ".dist-info/" not in name}
    expected = {name.removeprefix("src/") for name in tracked if name.startswith(PACKAGE)}
    yield from (f"{path.name} lacks {name}" for name in sorted(expected - package))
    yield from (f"{path.name} holds {name}" for name in sorted(package - expected))
    if "matinee/py.typed" not in package:
        yield f"{path.name} lacks py.typed"
    folder = inside.removesuffix("METADATA")
    for name in ("entry_points.txt", "licenses/LICENSE"):
        if folder + name not in names:
            yield f"{path.name} lacks {name}"
    yield from wrong_with_metadata(path, metadata)


def wrong_with_metadata(path: Path, metadata: Message) -> Iterator[str]:
    """What the metadata of a distribution leave open, and another version than that of the code."""
    yield from (f"{path.name} has no {field}" for field in FIELDS if not metadata[field])
    if not str(metadata.get_payload()).startswith("# Matinee"):
        yield f"{path.name} is not described by README.md"
    version = stated_versions()["src/matinee/__init__.py"]
    if metadata["Version"] != version:
        yield f"{path.name} has version {metadata['Version']}, the code {version}"


def wrong_with_sdist(path: Path, tracked: set[str]) -> Iterator[str]:
    """What an sdist lacks of the repository."""
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    yield from (f"{path.name} lacks {name}" for name in sorted(tracked - names))


def main() -> int:
    """Print everything that is wrong; 0 where nothing is."""
    parser = ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="what python -m build wrote")
    parser.add_argument("--tag", help="the tag of the release")
    options = parser.parse_args()
    wheels = sorted(options.folder.glob("*.whl"))
    sdists = sorted(options.folder.glob("*.tar.gz"))
    wrong = list(wrong_with_versions(options.tag))
    if (len(wheels), len(sdists)) != (1, 1):
        wrong.append(f"{options.folder} holds {len(wheels)} wheels and {len(sdists)} sdists")
    tracked = tracked_files()
    for wheel in wheels:
        wrong += wrong_with_wheel(wheel, tracked)
    for sdist in sdists:
        wrong += wrong_with_sdist(sdist, tracked)
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
