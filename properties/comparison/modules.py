"""The modules that two forms come from: files by their path, other modules by their name."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

from properties.reading.claims import UsageError, load_module
from properties.reading.modules import module_in


def module_at(beside: str, path: str) -> ModuleType:
    """Load the module in a file, `path` seen from the folder of the file `beside`; FileNotFoundError."""
    return module_in(Path(beside).parent / path, "forms_in_")


def import_form_module(place: str) -> ModuleType:
    """Load file.py or import a module by name; UsageError with the error that it raised."""
    return load_module(place, partial(module_at, str(Path.cwd() / "claim.py")))


def check_neighbours(old: ModuleType, new: ModuleType) -> None:
    """UsageError where a file beside `new` imports a name, and got the module beside `old` instead."""
    old_folder, new_folder = _folder(old), _folder(new)
    if old_folder is None or new_folder is None or old_folder == new_folder:
        return
    for name in _imported_by_files_in(new_folder):
        got = _folder(sys.modules.get(name))
        there = (new_folder / f"{name}.py").exists() or (new_folder / name / "__init__.py").exists()
        if there and got in {old_folder, old_folder / name}:
            message = (
                f"Python keeps one module of a name, but {old_folder} and {new_folder} both have {name!r}, "
                "which their files import: new would run with the one of old; rename one of the two"
            )
            raise UsageError(message)


def _folder(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else None


def _imported_by_files_in(folder: Path) -> Iterator[str]:
    """Name what the loaded modules of a folder import, by first names."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        # torch makes modules out of nothing, with a file that is none.
        if file.endswith(".py") and Path(file).is_absolute() and Path(file).parent == folder:
            for node in ast.walk(ast.parse(Path(file).read_bytes())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]
