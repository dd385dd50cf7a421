# /// script
# requires-python = ">=3.11"
# ///
"""A JSON report as Markdown, for the page of a job: python .github/summary.py .equivalence/report.json."""

import json
import sys
from collections import Counter
from html import escape
from pathlib import Path

AS_CLAIMED = ("holds", "refuted as declared", "not claimed", "does not apply")


def summary(report: dict) -> str:
    """Give a count of the cells by status, and the text of each that is not as claimed."""
    cells = report["cells"]
    executed = sum(cell["executed"] for cell in cells)
    lines = [f"### {len(report['claims'])} claims, {len(cells)} cells, {executed:,} cases", ""]
    if not report["complete"]:
        lines += ["**Incomplete: the run was interrupted.**", ""]
    lines += ["| status | cells |", "|---|--:|"]
    lines += [f"| {status} | {count} |" for status, count in Counter(c["status"] for c in cells).items()]
    for cell in cells:
        if cell["status"] not in AS_CLAIMED:
            title = f"{cell['status']}: {cell['claim']}, {cell['law']}"
            lines += ["", f"<details open><summary>{escape(title)}</summary>"]
            lines += [f"<pre>{escape(cell['text'])}</pre></details>"]
    return "\n".join(lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    sys.stdout.write((summary(found) if found else "**No report was written.**") + "\n")
