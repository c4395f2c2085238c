"""Documentation that says what the code says, or fails."""

from __future__ import annotations

import re
from pathlib import Path

from fix_engine.states import table

ROOT = Path(__file__).parents[1]


def test_the_transition_table_in_the_docs_is_the_one_in_the_code() -> None:
    assert table() in (ROOT / "docs" / "sessions.md").read_text()


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_job_of_the_readme_is_in_the_makefile() -> None:
    jobs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        used = set(re.findall(r"(?:`|\$ |    )make ([a-z]+)", page.read_text()))
        assert used <= jobs, f"{page.name}: {used - jobs}"
