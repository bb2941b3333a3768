"""Input files: recognised by their first bytes, decompressed and converted to plain UTF-8."""

import codecs
import gzip
import io
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO, TextIO, cast

from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadRatings, Option, did_you_mean

BLOCK = 1 << 20
SAMPLE = 1 << 18  # bytes looked at to understand a text file
WORKBOOK = (
    "an Excel workbook; save it there as CSV, or give it as a DataFrame: "
    "matinee.read_ratings(pandas.read_excel(...))"
)
SIGNATURES = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"ARROW1": "an Arrow file",
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
    b"MATLAB 5.0 MAT": "a MATLAB file",
    b"MATLAB 7.3 MAT": "a MATLAB file",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"\xd0\xcf\x11\xe0": WORKBOOK,
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
READABLE = "a delimited text file, JSON, Parquet, a matrix, or a MovieLens folder or zip"


def as_path(source: object) -> Path | None:
    """The path that a source names, or None when it is no path. Raises BadRatings for ``""``."""
    if isinstance(source, str) and not source:
        raise BadRatings("the path is empty; give that of a file or folder")
    return Path(source).expanduser() if isinstance(source, str | Path) else None


@contextmanager
def on_disk(source: object) -> Iterator[object]:
    """The source itself; a pipe, which can be read only once, as a temporary copy of its content.

    Raises BadRatings for a device.
    """
    path = as_path(source)
    if path is None or not path.exists() or path.is_file() or path.is_dir():
        yield source
        return
    if not path.is_fifo() and not path.is_socket():
        raise BadRatings(f"{path} is a device, not a file; give {READABLE}")
    with temporary_folder() as folder:
        copy = Path(folder) / path.name
        with path.open("rb") as pipe, copy.open("wb") as out:
            shutil.copyfileobj(pipe, out, BLOCK)
        yield copy


def name_of(path: Path) -> str:
    """The name of a file or folder in messages, with ``.`` and ``..`` resolved."""
    name = path.name if path.name != ".." else ""
    return name or path.resolve().name or str(path)


def check_exists(path: Path) -> None:
    """Raise BadRatings, with the nearest names beside it, for a path that leads nowhere."""
    if path.exists():
        return
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    raise BadRatings(f"there is no file or folder {str(path)!r}{did_you_mean(path.name, beside)}")


def kind_of(path: Path) -> str:
    """The kind of a file by its first bytes: a name of SIGNATURES, or "text".

    Raises BadRatings for a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise BadRatings(f"{path} cannot be read: {error.strerror}") from None
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), "text")


@contextmanager
def plain_text(
    name: str, open_bytes: Callable[[], IO[bytes]], path: Path | None, encoding: str | None
) -> Iterator[tuple[Path, str]]:
    """A path to the content as plain UTF-8 lines, and its encoding in words.

    The file itself where it already is that; otherwise a temporary copy, removed afterwards.
    Raises BadRatings when the content is not text in this encoding.
    """
    with open_bytes() as file:
        sample = read_some(name, file)
    if not sample:
        raise BadRatings(f"{name} is empty")
    encoding = encoding or encoding_of(sample)
    refuse_binary(name, sample, encoding)
    if path is not None and encoding in ("utf-8", "utf-8-sig") and is_plain(path, sample):
        yield path, in_words(encoding)
        return
    with temporary_folder() as folder:
        copy = folder / "plain.txt"
        with open_bytes() as file, copy.open("wb") as out:
            write_plain(name, file, out, encoding, untidy(sample))
        yield copy, in_words(encoding)


def read_some(name: str, file: IO[bytes], size: int = SAMPLE) -> bytes:
    """Up to ``size`` bytes. Raises BadRatings for a packed file that is broken."""
    try:
        return file.read(size)
    except (EOFError, zlib.error, zipfile.BadZipFile, OSError) as error:
        raise BadRatings(f"{name} is damaged or cut short: {words(error)}") from None


def encoding_of(sample: bytes) -> str:
    """The encoding that a byte order mark announces, else UTF-8."""
    marks = (name for mark, name in BYTE_ORDER_MARKS.items() if sample.startswith(mark))
    return next(marks, "utf-8")


def in_words(encoding: str) -> str:
    """The usual name of an encoding."""
    return {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with BOM"}.get(encoding, encoding)


def refuse_binary(name: str, sample: bytes, encoding: str) -> None:
    """Raise BadRatings where a sample is not text in the encoding."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise BadRatings(
            f"{name}: encoding {encoding!r} is unknown; try utf-8 or latin-1"
        ) from None
    if encoding.startswith("utf-8") and (other := unmarked_utf16(sample)):
        raise BadRatings(
            f"{name} looks like UTF-16 without a byte order mark; say so with ",
            Option("encoding", other),
        )
    odd = len(re.findall(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", sample))
    if "16" not in encoding and "32" not in encoding and odd > max(3, 0.01 * len(sample)):
        raise BadRatings(f"{name} is a binary file, not text; give {READABLE}")
    try:
        decoder.decode(sample)
    except UnicodeError as error:
        raise not_in_encoding(name, sample, encoding, error) from None


def unmarked_utf16(sample: bytes) -> str | None:
    """The byte order of text in UTF-16, which every other byte of plain letters shows."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    most = 0.8 * (len(sample) // 2)
    if max(even, odd) < max(most, 1) or min(even, odd) > 0.2 * most:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def not_in_encoding(name: str, sample: bytes, encoding: str, error: UnicodeError) -> BadRatings:
    """The error for bytes that an encoding does not know."""
    line = ""
    if isinstance(error, UnicodeDecodeError):
        line = f", line {sample[: error.start].count(bytes([10])) + 1:,}"
    other = "utf-8" if encoding.startswith("latin") else "latin-1"
    return BadRatings(
        f"{name}{line} is not {in_words(encoding)}; say which encoding it is, perhaps ",
        Option("encoding", other),
    )


def is_plain(path: Path, sample: bytes) -> bool:
    """Whether DuckDB can read this very file: no wildcard in its name, lines that end alike."""
    return not set("*?[]{}") & set(str(path)) and not untidy(sample)


def untidy(sample: bytes) -> bool:
    """Whether line ends are mixed, or fields lie apart by runs of spaces."""
    windows = sample.count(b"\r\n")
    mixed = sample.count(b"\r") != windows or windows not in (0, sample.count(b"\n"))
    return mixed or aligned_by_spaces(sample.decode("latin-1"))


def aligned_by_spaces(text: str) -> bool:
    """Whether the first line is laid out by runs of spaces, with no other delimiter in it."""
    first = text.split("\n", 1)[0].strip()
    return "  " in first and not re.search(r"[,;\t|]|::", first)


def write_plain(name: str, file: IO[bytes], out: BinaryIO, encoding: str, tidy: bool) -> None:
    """Copy as UTF-8, and where ``tidy`` with plain line ends and single spaces.

    Raises BadRatings for bytes that are not of this encoding, and for a file cut short.
    """
    try:
        if encoding in ("utf-8", "utf-8-sig") and not tidy:
            shutil.copyfileobj(file, out, BLOCK)
        else:
            with io.TextIOWrapper(file, encoding=encoding) as text:
                write_text(text, out)
    except UnicodeError:
        raise BadRatings(
            f"{name} is not {in_words(encoding)} throughout; say which encoding it is"
        ) from None
    except (EOFError, zlib.error, zipfile.BadZipFile, OSError) as error:
        raise BadRatings(f"{name} is damaged or cut short: {words(error)}") from None


def write_text(text: TextIO, out: BinaryIO) -> None:
    """Copy text as UTF-8 with plain line ends; a table aligned by spaces gets single ones."""
    block = text.read(BLOCK)
    if aligned_by_spaces(block):
        block += text.readline()
        lines = chain(block.splitlines(), text)
        out.writelines(f"{' '.join(line.split())}\n".encode() for line in lines)
        return
    while block:
        out.write(block.encode())
        block = text.read(BLOCK)


def words(error: BaseException) -> str:
    """The message of an exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def opener(path: Path) -> Callable[[], IO[bytes]]:
    """How to open a file for its content, unpacked where it is gzip."""
    if kind_of(path) == "gzip":
        return lambda: cast(IO[bytes], gzip.open(path, "rb"))
    return lambda: path.open("rb")
