"""A failing case -> a standalone script for a bug report, which needs torch and the user's layer only."""

from properties.scripting.binding import ScriptError
from properties.scripting.finding import Finding
from properties.scripting.script import script

__all__ = ["Finding", "ScriptError", "script"]
