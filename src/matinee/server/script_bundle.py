"""JavaScript modules as scripts: each module is a function, called after those that it imports.

A module of the page imports names from modules beside it, ``import { a, b as c } from "./x.js";``,
and exports functions, classes and constants where it declares them. Anything else is refused.
"""

import re
from dataclasses import dataclass
from pathlib import Path

IMPORT = re.compile(r'^import \{ (.+) \} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
OTHER = re.compile(r"^[ \t]*(?:import|export)\b.*|\bimport[ \t]*[(.].*", re.MULTILINE)

REGISTRY = "const modules = {};\n"  # what each module exports; the first script declares it


@dataclass(frozen=True)
class Module:
    """A JavaScript module."""

    name: str
    source: str

    @property
    def imports(self) -> dict[str, list[str]]:
        """The names imported from each module."""
        return {
            module: [name.split(" as ")[0] for name in names.split(", ")]
            for names, module in IMPORT.findall(self.source)
        }

    @property
    def exports(self) -> list[str]:
        """The names exported."""
        return [name for _, name in EXPORT.findall(self.source)]

    def as_call(self) -> str:
        """A statement that runs the module and registers its exports.

        Raises ValueError for a form of import or export that is not translated.
        """
        code = EXPORT.sub(r"\1 \2", IMPORT.sub(destructuring, self.source))
        if other := OTHER.search(code):
            raise ValueError(f"{self.name}.js cannot be bundled: {other[0].strip()}")
        exports = ", ".join(self.exports)
        return (
            f'modules.{self.name} = (() => {{\n"use strict";\n{code}\nreturn {{ {exports} }};\n'
            "})();\n"
        )


def destructuring(found: re.Match[str]) -> str:
    """An import as a declaration of constants."""
    names, module = found.groups()
    return f"const {{ {names.replace(' as ', ': ')} }} = modules.{module};"


def modules_from(folder: Path, entry: str) -> dict[str, Module]:
    """A module and all that it imports, by name, each after those that it imports.

    Raises ValueError for a circle of imports and for a name that is not exported.
    """
    modules: dict[str, Module] = {}

    def add(name: str, importers: tuple[str, ...]) -> None:
        if name in importers:
            raise ValueError(f"a circle of imports: {' imports '.join((*importers, name))}")
        if name in modules:
            return
        module = Module(name, (folder / f"{name}.js").read_text(encoding="utf-8"))
        for imported, names in module.imports.items():
            add(imported, (*importers, name))
            missing = set(names) - set(modules[imported].exports)
            if missing:
                raise ValueError(f"{imported}.js does not export {', '.join(sorted(missing))}")
        modules[name] = module

    add(entry, ())
    return modules


def bundles(folder: Path, first: str, second: str) -> tuple[str, str]:
    """Two scripts that run one after the other: a module with all it imports, and a second one.

    A module that both import is in the first script, and runs once. Raises ValueError for what
    cannot be bundled.
    """
    start = modules_from(folder, first)
    rest = [module for name, module in modules_from(folder, second).items() if name not in start]
    calls = [module.as_call() for module in start.values()]
    return REGISTRY + "".join(calls), "".join(module.as_call() for module in rest)
