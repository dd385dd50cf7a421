"""Files of a user, loaded as modules."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType


def module_in(file: Path, prefix: str) -> ModuleType:
    """Load the module in a file; FileNotFoundError.

    Its name says which file it is and what stands in it, so that two files of one stem are two modules, and
    one that was changed is another. It is loaded once, so that its classes stay the same ones: pickle insists
    on that.
    """
    file = file.resolve()
    if not file.is_file():
        message = f"no such file: {file}"
        raise FileNotFoundError(message)
    name = f"{prefix}{file.stem}_{zlib.crc32(bytes(file) + file.read_bytes()):08x}"
    if name not in sys.modules:
        _load(name, file)
    return sys.modules[name]


def _load(name: str, file: Path) -> None:
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        message = f"no module can be loaded from {file}"
        raise FileNotFoundError(message)
    # Its neighbours can be imported, and its folder hides no other module.
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    module = importlib.util.module_from_spec(specification)
    # Pickling a form looks its module up by name.
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
