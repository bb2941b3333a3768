"""What the kernels run on, in words: vector code, threads, linear algebra, and cached code."""

import os
from pathlib import Path

from numba import config
from threadpoolctl import threadpool_info

from matinee.display.text import counted
from matinee.kernels.jit import CACHE
from matinee.kernels.random import philox
from matinee.kernels.threads import n_threads
from matinee.kernels.vectors import LANES, WIDE


def threads() -> str:
    """How many threads kernels use, and what sets their number."""
    return f"{n_threads()} of {os.cpu_count()} cores; MATINEE_THREADS sets their number"


def vector_code() -> str:
    """The width that kernels are written for."""
    if getattr(config, "DISABLE_JIT", False):
        return "none: compilation is off (NUMBA_DISABLE_JIT)"
    source = " (NUMBA_CPU_NAME)" if getattr(config, "CPU_NAME", None) else ""
    return f"{LANES} numbers at once{source}, {'with' if WIDE else 'without'} AVX-512"


def blas() -> str:
    """The linear algebra libraries that numpy and scipy load."""
    import scipy.linalg  # noqa: F401  loads its own; not above: the first run waits for this module

    libraries = {
        f"{library['internal_api']} {library['version']}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return ", ".join(sorted(libraries)) or "unknown"


def code_cache() -> str:
    """Where machine code is cached, and how much of it there is."""
    folder = code_folder()
    if folder is None:
        return "none: each start compiles; NUMBA_CACHE_DIR sets a folder"
    sizes = [file.stat().st_size for file in folder.glob("*.nbc")] if folder.is_dir() else []
    return f"{folder}, {counted(len(sizes), 'compiled function')}, {sum(sizes) / 1e6:.1f} MB"


def code_folder() -> Path | None:
    """The folder where machine code is cached, which may not be there yet; None without a cache."""
    statistics = getattr(philox, "stats", None)
    return None if not CACHE or statistics is None else Path(statistics.cache_path)


def can_compile_ahead() -> bool:
    """Whether there are a second core and a cache, and no code in it yet."""
    folder = code_folder()
    return folder is not None and n_threads() > 1 and not any(folder.glob("*.nbi"))
