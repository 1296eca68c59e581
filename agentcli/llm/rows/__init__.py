"""The table of providers: adding one is adding a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agentcli.llm.route import Provider
from agentcli.llm.rows import clouds, gateways, hosts, makers
from agentcli.llm.rows.build import provider


class Rows(Mapping[str, Provider]):
    """Providers by name, each made when it is first asked for; `own` ones win over ours."""

    def __init__(self, own: Iterable[Provider] = ()) -> None:
        tables = (makers.ROWS, clouds.ROWS, hosts.ROWS, gateways.ROWS)
        self._rows = {row[0]: row for table in tables for row in table}
        self._made = {row.name: row for row in own}
        self._names = dict.fromkeys((*self._rows, *self._made))

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = provider(self._rows[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
