"""Where machine code is cached, and until when.

It is cached beside the package or in the user's folder, else in a private one: a container may have
neither, and the compiler then refuses to compile at all. numba reuses the code of a kernel while
the kernel's own file stays the same, but the code has the helpers of other files compiled into it.
So here it is reused while all files of kernels stay the same, and older code is deleted. Processes
that start side by side compile each kernel once: who comes later waits, and loads it.
"""

import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import config
from numba.core.compiler_lock import global_compiler_lock

from matinee.disk.locks import InUse, folder_lock
from matinee.errors import MatineeWarning

KERNELS = Path(__file__).parent
USUAL = (KERNELS / "__pycache__",)


def use_code_cache() -> bool:
    """Whether compiled code is cached; where numba has no place for it, in a private folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if getattr(config, "CACHE_DIR", "") or any(map(_is_writable, (*USUAL, home))):
        return True
    folder = Path(tempfile.gettempdir()) / f"matinee-code-{_user()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        private = _is_private(folder)
    except OSError:
        private = False
    if private:
        vars(config)["CACHE_DIR"] = str(folder)
        words = f"compiled code is kept in {folder}, as there is no other place to write to"
    else:
        words = "compiled code is not kept, as there is no place to write to: each start compiles"
    warnings.warn(MatineeWarning(f"{words}; set NUMBA_CACHE_DIR to choose one"), stacklevel=2)
    return private


def stamp_with_sources(dispatcher: Any) -> None:
    """Let a kernel reuse code from the cache only if all kernels had the sources of today."""
    index: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):  # a numba without it goes by the kernel's own file
        index._source_stamp = digest_of_sources()
        delete_stale_code(Path(dispatcher.stats.cache_path))


def compile_once(dispatcher: Any) -> None:
    """Let one process at a time compile a kernel, so that no other compiles it as well.

    What is cached is loaded without the lock of the kernel: a process may hold it for seconds, to
    compile the kernel for other types of arguments. The lock of the compiler is taken first: a
    thread that waited for it with a kernel locked could wait for a process that waits for this
    kernel.
    """
    cache: Any = getattr(dispatcher, "_cache", None)
    index: Any = getattr(cache, "_cache_file", None)
    if not hasattr(index, "_index_path"):
        return
    path, compile_kernel = Path(index._index_path), dispatcher.compile

    def is_cached(signature: Any) -> bool:
        key = cache._index_key(signature, dispatcher.targetctx.codegen())
        return key in index._load_index()

    def compile_alone(signature: Any) -> Any:
        with global_compiler_lock:
            if signature in dispatcher.overloads or is_cached(signature):
                return compile_kernel(signature)
            with _locked(path):
                return compile_kernel(signature)

    dispatcher.compile = compile_alone


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a kernel, or none where there can be none, or somebody holds it for long."""
    with ExitStack() as stack:
        with suppress(InUse, OSError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without locks a kernel may be compiled twice
            stack.enter_context(folder_lock(path))
        yield


@cache
def digest_of_sources() -> str:
    """SHA-256, hexadecimal, of the names and texts of all files of kernels."""
    digest = hashlib.sha256()
    for file in sorted(KERNELS.glob("*.py")):
        text = file.read_bytes()
        digest.update(f"{file.name} {len(text)}\n".encode() + text)
    return digest.hexdigest()


@cache
def delete_stale_code(folder: Path) -> None:
    """Delete code of other sources, once a process: nothing else would, after a kernel moves."""
    for index in folder.glob("*.nbi"):
        with suppress(OSError):  # another process may use or delete it
            if digest_of_sources().encode() not in index.read_bytes():
                index.unlink()
                for code in folder.glob(f"{index.stem}.*.nbc"):
                    code.unlink()


def _is_writable(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that is there, can be written to."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK)


def _is_private(folder: Path) -> bool:
    """Whether a folder is this user's own, and nobody else may write to it: code is run from it."""
    state = folder.lstat()
    mine = _user() in ("user", str(state.st_uid))
    return stat.S_ISDIR(state.st_mode) and mine and not state.st_mode & 0o077


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"
