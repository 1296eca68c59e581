"""Which routes a conversation may take: the chosen model, its deployments, the fallback chain."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from agentcli.app.options import Options
from agentcli.config import Config, places
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace, value
from agentcli.llm import models
from agentcli.llm.errors import AuthFailed
from agentcli.llm.providers import resolve
from agentcli.llm.route import Route
from agentcli.llm.router import Deployment, Router, key_of, unheard
from agentcli.llm.types import PreparedRequest


@value
class Choice:
    """What a model's name stands for; of several deployments the first says what it can do."""

    deployments: tuple[Deployment, ...]

    @property
    def route(self) -> Route:
        return self.deployments[0].route

    def fitted(self, route: Route) -> Choice:
        """With what a route's own server said of it."""
        key = key_of(route)
        fit = (replace(d, route=route) if key_of(d.route) == key else d for d in self.deployments)
        return Choice(tuple(fit))


def know_prices(env: Mapping[str, str]) -> None:
    """Has the prices that the person fetched win over the shipped ones."""
    models.use_prices(places(env).prices)


def reach(name: str, config: Config, env: Mapping[str, str]) -> Route:
    """The route to one model, with what the configuration says of it. Raises UserError."""
    route = resolve(name, env, config.providers)
    if not config.models:
        return route
    from agentcli.llm.overrides import overridden  # only those who override pay for it

    return replace(route, model=overridden(route.model, config.models, env))


def choose(name: str, config: Config, env: Mapping[str, str]) -> Choice:
    """A model, or a group of deployments from the configuration. Raises UserError."""
    group = config.deployments.get(name)
    if group is None:
        return Choice((Deployment(reach(name, config, env)),))
    routes = [reach(member, config, env) for member in group.models]
    weights = group.weights or tuple(1 for _ in routes)
    if not routes or len(weights) != len(routes) or min(weights) < 1:
        raise UserError(f"deployments.{name}: models are needed, and one weight above 0 for each.")
    return Choice(tuple(Deployment(r, w) for r, w in zip(routes, weights, strict=True)))


def router(
    chosen: Callable[[], Choice],
    options: Options,
    config: Config,
    env: Mapping[str, str],
    *,
    seed: str,
    on_return: Callable[[Route], None] = unheard,
) -> Router:
    """The chain of one conversation. Raises UserError for a fallback model nobody can reach."""
    asked = [name for text in options.fallback_model for name in text.split(",") if name.strip()]
    names = asked or config.fallback
    fallback = [choose(name.strip(), config, env).deployments for name in names]
    return Router(lambda: chosen().deployments, fallback, seed=seed, on_return=on_return)


def signer(env: Mapping[str, str]) -> Callable[[PreparedRequest, Route], PreparedRequest]:
    """Signs what a route wants signed, at the moment it is sent."""
    home = Path(env.get("HOME") or Path.home())

    def signed(prepared: PreparedRequest, route: Route) -> PreparedRequest:
        if route.auth != "sigv4":
            return prepared
        from agentcli.llm.sigv4 import find_credentials, sign  # only those who sign pay for it

        credentials = find_credentials(env, home)
        if credentials is None:
            raise AuthFailed(
                "no AWS credentials: set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws",
                provider=route.provider.name,
                model=route.model.id,
            )
        service = route.service or "bedrock"
        return sign(prepared, credentials, route.region, time.time(), service=service)

    return signed
