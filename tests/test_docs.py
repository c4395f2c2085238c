"""Documentation that says what the code says, or fails."""

from __future__ import annotations

import re
from pathlib import Path

from fix_engine.states import table
from fix_engine.validation import Validator
from tests.support.docs import (
    drop_copies,
    example_conversation,
    market_data_conversation,
    printed_market_data,
    printed_rules,
    reference_conversation,
    with_printed_part,
)
from tests.support.messages import decode, dictionary

ROOT = Path(__file__).parents[1]


def test_the_transition_table_in_the_docs_is_the_one_in_the_code() -> None:
    page = (ROOT / "docs" / "sessions.md").read_text()
    assert page == with_printed_part(page, table()), "run `make docs`"


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


def test_the_rules_of_engagement_are_those_of_the_dictionary_and_their_examples_real() -> None:
    page = (ROOT / "docs" / "rules-of-engagement.md").read_text()
    assert page == with_printed_part(page, printed_rules()), "run `make docs`"


def test_the_examples_of_reference_data_are_real() -> None:
    page = (ROOT / "docs" / "reference-data.md").read_text()
    assert page == with_printed_part(page, reference_conversation()), "run `make docs`"


def test_the_examples_of_drop_copies_are_real_and_valid() -> None:
    page = (ROOT / "docs" / "drop-copy.md").read_text()
    assert page == with_printed_part(page, drop_copies()), "run `make docs`"
    validator = Validator(dictionary())
    lines = [line for line in drop_copies().splitlines() if line.startswith("    ")]
    assert len(lines) > 15
    for line in lines:
        message = decode(line[6:].replace("|", "\x01").encode("latin-1"))
        assert validator.check(message) is None, line


def test_the_page_on_market_data_has_real_examples_and_every_message() -> None:
    page = (ROOT / "docs" / "market-data.md").read_text()
    assert page == with_printed_part(page, printed_market_data()), "run `make docs`"
    found = set(re.findall(r"\|35=(\w+)\|", market_data_conversation()))
    assert found >= set("VWXY8")


def test_every_example_is_valid() -> None:
    validator = Validator(dictionary())
    refused = []
    every = example_conversation() + reference_conversation() + market_data_conversation()
    for line in every.splitlines():
        if line.startswith(("    > ", "    < ")):
            message = decode(line[6:].replace("|", "\x01").encode("latin-1"))
            if validator.check(message) is not None:
                refused.append(message.msg_type)
    assert refused == [b"D"], "the one that shows what happens when a tag is missing"
