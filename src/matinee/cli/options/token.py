"""--token and --token-file: what requests to a server must send."""

from pathlib import Path

import click
from click.core import ParameterSource

from matinee.cli.console import say
from matinee.errors import BadSetting

IN_PROCESS_LIST = (
    "warning: anybody on this machine can read --token in the list of processes; "
    "give --token-file or set MATINEE_TOKEN"
)

token_option = click.option(
    "--token",
    envvar="MATINEE_TOKEN",
    show_envvar=True,
    help="What to send as Authorization: Bearer; made up when not given. On the command line "
    "anybody on this machine can read it (ps): better a file, or the environment.",
)
token_file_option = click.option(
    "--token-file",
    envvar="MATINEE_TOKEN_FILE",
    show_envvar=True,
    metavar="FILE",
    help="A file that holds the token.",
)


def chosen_token(context: click.Context, token: str | None, file: str | None) -> str | None:
    """The token of a command line and its environment; the command line comes first.

    Warns of a token in the list of processes. Raises BadSetting for two tokens, and for a file
    that cannot be read.
    """
    typed = context.get_parameter_source("token") is ParameterSource.COMMANDLINE
    file_typed = context.get_parameter_source("token_file") is ParameterSource.COMMANDLINE
    if token is not None and file is not None and typed == file_typed:
        raise BadSetting("a server has one token: give it itself, or the file that holds it")
    if file is not None and not typed:
        return read_token(file)
    if typed:
        say(IN_PROCESS_LIST)
    return token


def read_token(file: str) -> str:
    """The token in a file, without white space around it. Raises BadSetting."""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"cannot read the token from {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadSetting(f"cannot read the token from {file}: it is not text") from error
