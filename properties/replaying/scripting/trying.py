"""A script that is handed out was run once: it does not say FIXED of what it never showed."""

from __future__ import annotations

import subprocess
import sys

from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.script import script

MOST_SECONDS = 60


def tried_script(finding: Finding) -> str:
    """Write the script of a finding; one that shows no failure now says so, and never FIXED."""
    text = script(finding)
    return text if finding.difference and _fails(text) else script(finding, shown=False)


def _fails(text: str) -> bool:
    """Whether a script ends with an error where it is to be run; one that takes long is believed."""
    try:
        # From standard input: modules beside the reader are found, and no file is left behind.
        ran = subprocess.run(
            [sys.executable, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0
