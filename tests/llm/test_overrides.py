"""What a person's configuration says of a model holds over the shipped table."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.config import load
from agentcli.lib.errors import UserError
from agentcli.llm import models
from agentcli.llm.cost import price
from agentcli.llm.overrides import overridden
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def configured(tmp_path):
    """Reads a config.toml of these words; `project` is the repository's."""

    def read(user, project=""):
        env = {"AGENT_CONFIG_DIR": str(tmp_path / "user"), "HOME": str(tmp_path)}
        for folder, text in (("user", user), ("repo/.agent", project)):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "config.toml").write_text(text)
        return load(tmp_path / "repo", env, trusted=True).models

    return read


def gpt(name="gpt-6.1-sol"):
    return models.find(name, "openai")


def test_a_flat_price_of_ones_own_has_no_tiers(configured):
    told = configured('[models."gpt-6*"]\ninput = "1.25"\noutput = 7\n')
    spec = overridden(gpt(), told, {})
    long = Usage(input=1_000_000, output=1_000_000, cache_read=1_000_000)
    assert price(long, spec, at=NOW).total == Decimal("8.35")
    assert overridden(gpt("gpt-5"), told, {}) == gpt("gpt-5")


def test_limits_and_abilities_are_taken(configured):
    spec = overridden(
        gpt(),
        configured(
            '[models."openai/gpt-6.1-sol"]\ncontext = 50000\nmax_output = 4000\nimages = false\n'
            'edit = "replace"\nefforts = ["low"]\ncache = "explicit"\ncache_min = 4096\n'
        ),
        {},
    )
    assert (spec.context, spec.max_output, spec.images) == (50_000, 4_000, False)
    assert (spec.edit, spec.efforts, spec.prices) == ("replace", ("low",), gpt().prices)
    assert (spec.cache.mode, spec.cache.min_tokens) == ("explicit", 4096)
    assert spec.cache.max_marks == 4


def test_an_exact_name_beats_a_glob_and_the_project_beats_the_user(configured):
    told = configured(
        '[models."gpt-6.1-sol"]\ncontext = 1\n[models."gpt-*"]\ncontext = 2\nmax_output = 2\n'
        '[models."O3"]\ncontext = 3\n',
        '[models."o3"]\ncontext = 4\n',
    )
    assert overridden(gpt(), told, {}).context == 1
    assert overridden(gpt(), told, {}).max_output == 2
    assert overridden(gpt("o3"), told, {}).context == 4


def test_a_model_nobody_knows_gets_its_price(configured):
    spec = models.unknown("house/model[1]", "corp")
    told = configured('[models."house/model[1]"]\ninput = 1\noutput = 2\n')
    assert price(
        Usage(input=500_000, output=500_000), overridden(spec, told, {}), at=NOW
    ).total == (Decimal("1.5"))


def test_half_a_price_is_no_price(configured):
    told = configured('[models."corp/*"]\ninput = 1\n')
    with pytest.raises(UserError, match="both input and output"):
        overridden(models.unknown("m", "corp"), told, {})


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('input = "cheap"', "input must be dollars"),
        ("output = -1", "output must be dollars"),
        ("cache_read = nan", "cache_read must be dollars"),
        ("context = 0", "context must be at least 1"),
        ('edit = "vim"', "'replace' or 'patch'"),
        ("tokens = 5", "unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(configured, line, complaint):
    with pytest.raises(UserError, match=complaint) as told:
        configured(f'[models."gpt-*"]\n{line}\n')
    assert "config.toml:" in str(told.value)
