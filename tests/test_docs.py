"""The documentation says what the program does, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PAGES = [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_generated_pages_are_up_to_date():
    done = subprocess.run(
        [sys.executable, TOP / "docs/generate.py", "--check"], capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_help_is_what_typer_says():
    """The text that is shown without loading typer."""
    code = "from agentcli.cli.commands import run_typer; run_typer(['--help'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"COLUMNS": "80"}
    )
    assert (TOP / "agentcli/cli/help.txt").read_text() == done.stdout
