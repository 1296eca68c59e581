"""Which key does what. The actions themselves are the terminal's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys


class Actions(Protocol):
    """What keys may cause."""

    @property
    def choosing(self) -> bool:
        """A question waits for one of its choices."""
        ...

    @property
    def writing(self) -> bool:
        """A question waits for a text."""
        ...

    def send(self) -> None: ...
    def escape(self) -> None: ...
    def control_c(self) -> None: ...
    def control_d(self) -> None: ...
    def cycle_mode(self) -> None: ...
    def suspend(self) -> None: ...
    def paste(self, text: str) -> None: ...
    def question_move(self, by: int) -> None: ...
    def question_key(self, key: str) -> None: ...
    def question_enter(self) -> None: ...


def key_bindings(actions: Actions) -> KeyBindings:
    keys = KeyBindings()
    choosing = Condition(lambda: actions.choosing)
    writing = Condition(lambda: actions.writing)
    _bind_question(keys, actions, choosing, writing)
    _bind_input(keys, actions)

    def bind(action: Callable[[], None], *names: str) -> None:
        def run(event: KeyPressEvent) -> None:
            action()

        for name in names:
            keys.add(name)(run)

    bind(actions.escape, "escape")
    bind(actions.control_c, "c-c", "<sigint>")
    bind(actions.control_d, "c-d")
    bind(actions.cycle_mode, "s-tab")
    bind(actions.suspend, "c-z")

    @keys.add("c-l")
    def _(event: KeyPressEvent) -> None:
        """The library's own binding clears the screen; scrolled text is not ours to clear."""
        event.app.invalidate()

    return keys


def _bind_question(
    keys: KeyBindings, actions: Actions, choosing: Condition, writing: Condition
) -> None:
    @keys.add("up", filter=choosing)
    @keys.add("s-tab", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        actions.question_move(-1)

    @keys.add("down", filter=choosing)
    @keys.add("tab", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        actions.question_move(1)

    @keys.add("enter", filter=choosing)
    @keys.add("enter", filter=writing)
    @keys.add("c-j", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        actions.question_enter()

    @keys.add(Keys.Any, filter=choosing)
    def _(event: KeyPressEvent) -> None:
        actions.question_key(event.data)

    @keys.add(Keys.BracketedPaste, filter=choosing)
    def _(event: KeyPressEvent) -> None:
        pass


def _bind_input(keys: KeyBindings, actions: Actions) -> None:
    is_typing = Condition(lambda: not actions.choosing and not actions.writing)

    @keys.add("enter", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _is_search(event.app):
            event.app.layout.focus_last()
        elif accept_completion(buffer):
            pass
        elif buffer.document.char_before_cursor == "\\":
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            actions.send()

    @keys.add("escape", "enter")
    @keys.add("c-j", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None:
            buffer.complete_next()
        else:
            buffer.start_completion(insert_common_part=True)

    @keys.add(Keys.BracketedPaste, filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        actions.paste(event.data)


def _is_search(app: Application[object]) -> bool:
    return app.layout.is_searching


def accept_completion(buffer: Buffer) -> bool:
    """Take the completion that is selected in the menu; False when none is."""
    state = buffer.complete_state
    if state is None or state.current_completion is None:
        return False
    buffer.complete_state = None
    return True
