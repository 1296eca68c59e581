"""The rows at the bottom: activity, queue, question, input, completions, status."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    VerticalAlign,
    Window,
)
from prompt_toolkit.widgets import SearchToolbar

from agentcli.lib.text import visible
from agentcli.ui.repl.question import Asking
from agentcli.ui.repl.theme import text_of
from agentcli.ui.repl.wrap import clip

INPUT_ROWS = 10
MENU_ROWS = 6
Fragments = StyleAndTextTuples


class Bottom:
    """The input area. `above` and `below` give the words around the input line, row by row."""

    def __init__(
        self,
        buffer: Buffer,
        *,
        above: Callable[[], list[str]],
        below: Callable[[], str],
        asking: Callable[[], Asking | None],
        width: Callable[[], int],
        rows: Callable[[], int],
    ) -> None:
        self._asking = asking
        self._width = width
        self._above = above
        self.buffer = buffer
        self.answer = Buffer(multiline=False, name="answer")
        search = SearchToolbar()

        def room() -> int:
            return max(1, min(INPUT_ROWS, rows() // 2 - 1))

        self.input = _editor(buffer, "> ", room, search)
        self.writing = _editor(self.answer, "  > ", room)
        self.choices = Window(
            FormattedTextControl(self._choices, focusable=True, show_cursor=False),
            dont_extend_height=True,
            wrap_lines=True,
        )
        rows_below = [search, self._menu_window(), _text(lambda: [("class:dim", below())])]
        self.layout = Layout(
            HSplit([*self._rows_above(), *rows_below], align=VerticalAlign.TOP),
            focused_element=self.input,
        )

    def _rows_above(self) -> list[ConditionalContainer]:
        return [
            _shown(_text(self._above_rows), lambda: bool(self._above())),
            _shown(self.choices, lambda: self._state("choosing")),
            _shown(_text(self._hint), lambda: self._state("writing")),
            _shown(self.writing, lambda: self._state("writing")),
            _shown(self.input, lambda: self._asking() is None),
        ]

    def _menu_window(self) -> ConditionalContainer:
        return _shown(_text(self._menu), lambda: bool(self._completions()))

    def focus(self) -> None:
        """Put the cursor where typing goes now."""
        if self._state("choosing"):
            self.layout.focus(self.choices)
        elif self._state("writing"):
            self.layout.focus(self.writing)
        else:
            self.layout.focus(self.input)

    def _state(self, which: str) -> bool:
        asking = self._asking()
        return asking is not None and asking.writing == (which == "writing")

    def _above_rows(self) -> Fragments:
        rows = [self._clipped(row) for row in self._above()]
        return [("class:dim", "\n".join(rows))]

    def _choices(self) -> Fragments:
        asking = self._asking()
        if asking is None:
            return []
        fragments: Fragments = []
        for n, choice in enumerate(asking.choices):
            chosen = n == asking.at
            style = "class:chosen" if chosen else ""
            mark = ">" if chosen else " "
            end = "\n" if n < len(asking.choices) - 1 else ""
            fragments.append((style, f"  {mark} {choice.key:1}  {choice.label}{end}"))
        return fragments

    def _hint(self) -> Fragments:
        asking = self._asking()
        return [("class:warning", self._clipped(f"  {asking.hint}"))] if asking else []

    def _completions(self) -> list[tuple[str, str, bool]]:
        """Some of the completions around the selected one: (text, meta, selected)."""
        state = self.buffer.complete_state
        if state is None or self._asking() is not None:
            return []
        at = state.complete_index
        first = max(0, (at or 0) - MENU_ROWS + 1)
        shown = state.completions[first : first + MENU_ROWS]
        return [(c.display_text, c.display_meta_text, n == at) for n, c in enumerate(shown, first)]

    def _menu(self) -> Fragments:
        fragments: Fragments = []
        rows = self._completions()
        size = max((len(text) for text, _, _ in rows), default=0)
        for n, (text, meta, selected) in enumerate(rows):
            row = self._clipped(f"  {visible(text):<{size}}  {visible(meta)}")
            style = "class:chosen" if selected else "class:dim"
            fragments.append((style, row.rstrip() + ("\n" if n < len(rows) - 1 else "")))
        return fragments

    def _clipped(self, text: str) -> str:
        flat = visible(text).replace("\n", " ⏎ ").replace("\t", " ")
        return text_of(clip((("plain", flat),), max(1, self._width() - 1)))


def _editor(
    buffer: Buffer, prompt: str, room: Callable[[], int], search: SearchToolbar | None = None
) -> Window:
    def prefix(line: int, wrapped: int) -> Fragments:
        return [("class:prompt", prompt if not line and not wrapped else " " * len(prompt))]

    return Window(
        BufferControl(buffer, search_buffer_control=search.control if search else None),
        height=lambda: Dimension(min=1, max=room()),
        dont_extend_height=True,
        wrap_lines=True,
        get_line_prefix=prefix,
    )


def _text(content: Callable[[], Fragments]) -> Window:
    return Window(FormattedTextControl(content), dont_extend_height=True)


def _shown(window: Window, when: Callable[[], bool]) -> ConditionalContainer:
    return ConditionalContainer(window, Condition(when))
