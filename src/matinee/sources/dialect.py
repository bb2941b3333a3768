"""How a text file separates its fields: delimiter and header by its first lines, the rest by all.

Quotes and decimal marks may first stand anywhere, so the whole file is searched for them.
"""

import json
import mmap
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from matinee.errors import Advice, BadRatings
from matinee.sources.columns import is_usual
from matinee.sources.files import SAMPLE

DELIMITERS = ("::", "\t", ";", "|", ",", " ")  # in order of trust where several would do
IN_WORDS = {"\t": "tab", " ": "space"}
LINES = 200  # looked at
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
DATE = re.compile(r"(\d{4}-\d\d?-\d\d?|\d\d?\.\d\d?\.\d{4})([T ].*)?")
NO_NUMBERS = {"nan", "inf", "-inf", "+inf", "infinity", "-infinity", ""}
SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>.)"?', re.IGNORECASE)  # Excel: sep=;
LIBSVM = re.compile(r"\S+( \d+:[-+.\deE]+)+")
MATRIX_MARKET = re.compile(r"%%MatrixMarket matrix coordinate (real|integer|pattern) general", re.I)
COMMENT_MARKS = ("#", "%")
MOST_ALIKE = 0.5  # share of lines of one length below which lines are lists
PAIRS_AGREE = 0.9  # share of lines with two fields from which a file has two columns


@dataclass(frozen=True)
class Dialect:
    """What separates, quotes and heads the fields of a text file."""

    delimiter: str  # "" where each line is a JSON object
    quoted: bool  # whether a double quote encloses fields anywhere in the file
    header: tuple[str, ...]  # empty where the first line is already a row
    n_columns: int
    rows: tuple[tuple[str, ...], ...]  # the first rows, without the header
    preamble: int = 0  # lines before the first row: comments, blank lines, the header
    n_comments: int = 0  # of these, the comments
    ragged: bool = False  # no header, and lines of whole numbers of many lengths
    row_names: bool = False  # the header lacks a name for the first column, as R writes it

    @property
    def details(self) -> dict[str, str]:
        """In words, for the report."""
        if not self.delimiter:
            return {}
        details = {
            "delimiter": IN_WORDS.get(self.delimiter, repr(self.delimiter)),
            "header": "yes" if self.header else "no",
        }
        details |= {"comment lines": str(self.n_comments)} if self.n_comments else {}
        return details | ({"quoted": "yes"} if self.quoted else {})

    def fields(self, line: str) -> list[str] | None:
        """The fields of one line; None where its quotes are not well formed."""
        if not self.delimiter:
            return json_fields(line, self.header)
        if not self.quoted or '"' not in line:
            return line.split(self.delimiter)
        stop = re.escape(self.delimiter)
        field = re.compile(rf'{stop}("(?:[^"]|"")*"|(?!")(?:(?!{stop}).)*)', re.DOTALL)
        parts = list(field.finditer(self.delimiter + line))
        if sum(len(part[0]) for part in parts) != len(self.delimiter + line):
            return None
        return [
            part[1][1:-1].replace('""', '"') if part[1].startswith('"') else part[1]
            for part in parts
        ]

    def split(self, line: str) -> list[str]:
        """The fields of one line, as they are written where its quotes are not well formed."""
        fields = self.fields(line)
        return line.split(self.delimiter) if fields is None else fields


def sniff(
    path: Path, name: str, expected: Sequence[str] = (), least: int = 3, *, quoting: bool = True
) -> Dialect:
    """The dialect of a UTF-8 file, whose header may hold ``expected`` names.

    A double quote is a letter like any other where ``quoting`` is false. Raises BadRatings when no
    delimiter gives its lines ``least`` fields (two are enough where nearly all lines agree).
    """
    numbered = [(at, line) for at, line in enumerate(first_lines(path)) if line.strip()]
    if not numbered:
        raise BadRatings(f"{name} is empty")
    if is_object(numbered[0][1]):
        return json_dialect([line for _, line in numbered if is_object(line)], name)
    if is_libsvm([line for _, line in numbered]):
        raise BadRatings(
            f"{name} looks like libsvm, an index:value for each rating of a line; read it with "
            "sklearn.datasets.load_svmlight_file and give the matrix"
        )
    quoted = quoting and holds(path, b'"')
    delimiters: Sequence[str] = DELIMITERS
    if separator := SEPARATOR_LINE.fullmatch(numbered[0][1].strip()):
        delimiters, numbered = (separator["delimiter"],), numbered[1:]
    marked = 0 if separator else n_marked([line for _, line in numbered])
    sized = is_matrix_market(numbered[0][1], name)  # a line holds the size of the matrix
    marked += sized
    lines = [line for _, line in numbered[marked:]] or [""]
    plain = divided(lines, quoted, least, delimiters)
    if plain is None:
        raise undivided(name, lines[0])
    commented = [line for _, line in numbered[:marked]]
    n_comments = marked if sized else comments_among(commented, plain)
    numbered = numbered[n_comments:]
    plain = replace(plain, n_comments=n_comments + bool(separator))
    if plain.n_comments and is_comment_mark(numbered[0][1]):  # a header behind a mark
        numbered[0] = (numbered[0][0], numbered[0][1].lstrip("#% \t"))
    return headed(plain, numbered, expected)


def headed(plain: Dialect, numbered: Sequence[tuple[int, str]], expected: Sequence[str]) -> Dialect:
    """The dialect with its header and first rows."""
    rows = tuple(tuple(plain.split(line)) for _, line in numbered)
    if not is_header(rows, expected):
        return replace(plain, rows=rows, preamble=numbered[0][0], ragged=is_ragged(rows))
    header, rows = rows[0], rows[1:]
    row_names = bool(rows) and all(len(row) == len(header) + 1 and row[-1] for row in rows)
    header = ("", *header) if row_names else header
    return replace(
        plain,
        header=header,
        n_columns=len(header),
        rows=rows,
        preamble=numbered[0][0] + 1,
        row_names=row_names,
    )


def first_lines(path: Path) -> list[str]:
    """Some lines from the start of a file, none of them cut."""
    with path.open("rb") as file:
        text = file.read(SAMPLE).decode("utf-8-sig", errors="replace")
    lines = re.split(r"\r\n|\n|\r", text)[: LINES + 1]
    if len(text) >= SAMPLE // 4 and 1 < len(lines) <= LINES:
        lines.pop()  # it may be cut
    return lines


def holds(path: Path, text: bytes) -> bool:
    """Whether some bytes stand anywhere in a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0


def undivided(name: str, line: str) -> BadRatings:
    """The error for lines that no delimiter splits."""
    return BadRatings(
        f"{name} does not look like ratings: its first line is {clipped(line)!r}, and no "
        "delimiter splits its lines into 2 fields or more"
    )


def divided(
    lines: Sequence[str], quoted: bool, least: int, delimiters: Sequence[str]
) -> Dialect | None:
    """The delimiter and the number of columns: ``least`` or more, or 2 where more lines agree."""
    delimiter, n_columns = best_delimiter(lines, quoted, least, delimiters)
    table = Dialect(delimiter, quoted, (), n_columns, ())
    if n_columns >= least and agreement(lines, table) >= PAIRS_AGREE:
        return table
    delimiter, _ = best_delimiter(lines, quoted, 2, delimiters)
    pairs = Dialect(delimiter, quoted, (), 2, ())
    if delimiter and agreement(lines, pairs) >= PAIRS_AGREE:
        return pairs
    return table if n_columns >= least else None


def agreement(lines: Sequence[str], dialect: Dialect) -> float:
    """The share of lines that have as many fields as there are columns."""
    return sum(len(dialect.split(line)) == dialect.n_columns for line in lines) / len(lines)


def is_comment_mark(line: str) -> bool:
    """Whether a line begins as comments do."""
    return line.lstrip().startswith(COMMENT_MARKS)


def n_marked(lines: Sequence[str]) -> int:
    """How many leading lines begin like comments; 0 where later ones do too, as ids might."""
    n = next((at for at, line in enumerate(lines) if not is_comment_mark(line)), 0)
    return 0 if any(is_comment_mark(line) for line in lines[n:]) else n


def comments_among(marked: Sequence[str], plain: Dialect) -> int:
    """How many of some leading marked lines are comments; the last may be the header, or a row.

    It is the header where it holds usual names, and a row where its mark stands before a word and
    it has the fields of a row: ``#ann,Heat,4``.
    """
    if not marked:
        return 0
    last = marked[-1].lstrip()
    fields = plain.split(last.lstrip("#% \t"))
    if len(fields) != plain.n_columns:
        return len(marked)
    names = sum(is_usual(field) for field in fields) >= min(2, len(fields))
    glued = not last[1:2].isspace() and last[1:2] not in COMMENT_MARKS
    return len(marked) - (names or glued)


def best_delimiter(
    lines: Sequence[str], quoted: bool, least: int, delimiters: Sequence[str] = DELIMITERS
) -> tuple[str, int]:
    """The delimiter under which most lines agree on ``least`` fields or more, and how many."""
    best = ("", 0, 0.0)
    for delimiter in delimiters:
        counts = Counter(len(Dialect(delimiter, quoted, (), 0, ()).split(line)) for line in lines)
        n_fields, share = max(
            ((n, count / len(lines)) for n, count in counts.items()),
            key=lambda one: (one[0] >= least, one[1], one[0]),
        )
        if n_fields >= least and share > best[2]:
            best = (delimiter, n_fields, share)
    delimiter, n_fields, _ = best
    if delimiter == "," and all(re.search(r",(?! )", line) is None for line in lines):
        delimiter = ", "
    return delimiter, n_fields


def is_header(rows: Sequence[Sequence[str]], expected: Sequence[str] = ()) -> bool:
    """Whether the first row names columns: usual or expected names, or words over numbers."""
    first = rows[0]
    if any(is_number(field) for field in first):
        return False
    if any(is_usual(field) or field in expected for field in first):
        return True
    return any(is_number(field) for row in rows[1:4] for field in row)


def is_ragged(rows: Sequence[Sequence[str]]) -> bool:
    """Whether lines are lists, a user and its items: whole numbers, of many lengths."""
    lengths = Counter(map(len, rows))
    if len(lengths) < 3 or max(lengths.values()) >= MOST_ALIKE * len(rows):
        return False
    return all(field.isdecimal() for row in rows for field in row if field)


def columns_of_dates(dialect: Dialect) -> list[int]:
    """The columns in which all first rows that hold anything there hold a date."""
    columns = zip_longest(*dialect.rows, fillvalue="")
    cells = [{cell.strip() for cell in column} - {""} for column in columns]
    return [at for at, each in enumerate(cells) if each and all(map(DATE.fullmatch, each))]


def is_number(field: str) -> bool:
    """Whether a field reads as a number, also with a decimal comma."""
    return bool(NUMBER.fullmatch(field.strip()) or COMMA_NUMBER.fullmatch(field.strip()))


def is_libsvm(lines: Sequence[str]) -> bool:
    """Whether all lines are a label and pairs of index and value."""
    return all(LIBSVM.fullmatch(line.strip()) for line in lines)


def is_matrix_market(line: str, name: str) -> bool:
    """Whether a first line heads a Matrix Market file.

    Raises BadRatings for a form of it in which lines are not row, column and value.
    """
    if not line.startswith("%%MatrixMarket"):
        return False
    if not MATRIX_MARKET.match(line):
        raise BadRatings(
            f"{name} is a Matrix Market file that is not 'coordinate ... general'; read it with "
            "scipy.io.mmread and give the matrix"
        )
    return True


def is_object(line: str) -> bool:
    """Whether a line is one JSON object."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def json_dialect(lines: Sequence[str], name: str) -> Dialect:
    """The dialect of JSON lines: the names are those of the first objects.

    Raises BadRatings for a single object that holds others.
    """
    nested = any(isinstance(one, dict | list) for one in json.loads(lines[0]).values())
    if len(lines) == 1 and nested:
        raise BadRatings(
            f"{name} is one JSON object; give an object a line or an array of them",
            Advice(', as pandas writes with to_json(..., orient="records")', ""),
        )
    header = tuple(dict.fromkeys(name for line in lines for name in json.loads(line)))
    rows = tuple(tuple(json_fields(line, header)) for line in lines)
    return Dialect("", False, header, len(header), rows)


def json_fields(line: str, names: Sequence[str]) -> list[str]:
    """The values of an object by name, as text; empty where there is none."""
    try:
        values = json.loads(line)
    except ValueError:
        return [""] * len(names)
    cells = [values.get(name) if isinstance(values, dict) else None for name in names]
    return [
        "" if one is None else one if isinstance(one, str) else json.dumps(one) for one in cells
    ]


def clipped(text: str, width: int = 60) -> str:
    """Text short enough for a message."""
    return text if len(text) <= width else text[: width - 3] + "..."
