"""What the library advises, in Python, as it is typed on a command line."""

import re

PHRASES = {  # what no rule below can say
    "read without strict": "leave out --strict",
    "begin without resume": "begin without --resume",
    "ask for no list lengths (ns=())": "measure --metrics rmse alone",
    "(ns)": "(-n)",
    'how="samples"': "--samples",
    "space={setting: Real(low, high)}": "--space SETTING=LOW..HIGH",
    "range(2, 21)": "2..20",
    ", and packed.in_memory() brings packed ratings into memory": "",
    " (ratings.with_profiles adds some)": "",
    "matinee.pack, then fit_packed": "matinee pack, then fit",
    "matinee.Interview": "matinee interview",
    "matinee.pack": "matinee pack",
    "matinee.splitting": "matinee evaluate",
    "model.fold_in": "matinee recommend --ratings FILE",
}
OPTIONS = ("duplicates", "encoding", "memory", "method", "relevant_from", "test_share")
COLUMNS = re.compile(r"columns=\{(.*?)\}")
COLUMN = re.compile(r"""["'](\w+)["']: ["']?([^"',]+)["']?""")
QUOTED = re.compile(r"""\b(\w+)=(["'])([\w.-]+)\2""")  # solver="als"
UNSAID = re.compile(r"\b([a-z_]+)=(?:\.\.\.(?=\))|(?=,| or\b|$))")  # (catalog=...), without=
BARE = re.compile(rf"(?<!--)\b({'|'.join(name for name in OPTIONS if '_' in name)})\b")


def as_typed(message: str) -> str:
    """A message of the library with its remedies as they are typed on a command line.

    ``solver="als"`` is ``--set solver=als``, and ``encoding="latin-1"`` is ``--encoding latin-1``.
    """
    for in_python, typed in PHRASES.items():
        message = message.replace(in_python, typed)
    message = COLUMNS.sub(_columns, message)
    message = QUOTED.sub(_setting, message)
    message = UNSAID.sub(lambda found: _option(found[1]), message)
    return BARE.sub(lambda found: _option(found[1]), message)


def _columns(found: re.Match[str]) -> str:
    return "--columns " + ",".join("=".join(pair) for pair in COLUMN.findall(found[1]))


def _setting(found: re.Match[str]) -> str:
    name, _, value = found.groups()
    return f"{_option(name)} {value}" if name in OPTIONS else f"--set {name}={value}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
