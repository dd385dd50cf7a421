"""A failing case -> a standalone script for a bug report, which needs torch and the user's layer only."""

from properties.replaying.scripting.binding import ScriptError
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.script import script
from properties.replaying.scripting.trying import tried_script

__all__ = ["Finding", "ScriptError", "script", "tried_script"]
