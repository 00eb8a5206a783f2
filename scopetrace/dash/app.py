"""The dashboard as a Textual application: keys in, rows out.

Every key is answered at once; what must be read of the session comes from the reader's thread, as
messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from scopetrace.dash.cursor import Cursor
from scopetrace.dash.export import default_name, write_view
from scopetrace.dash.heading import place_line, session_line, tabs
from scopetrace.dash.keys import FOOT, KEYS, help_text
from scopetrace.dash.pane import Pane
from scopetrace.dash.place import Place, Trail
from scopetrace.dash.reader import Answer, Reader
from scopetrace.dash.rows import Part, Want
from scopetrace.dash.views import FIRST, TABS, make_views
from scopetrace.errors import ScopeError
from scopetrace.model.session import SessionInfo
from scopetrace.output.escape import escape
from scopetrace.output.width import shorten
from scopetrace.query import Session

POLL_EVERY_S = 1.0
"""Time between two looks at a session that is being recorded."""
REST = 4
"""After a look at a session that is being recorded, so many times as long nothing is read."""


class _Asked(NamedTuple):
    """What the reader was asked for last."""

    number: int
    want: Want
    key: int | None = None
    """Of the row that is to be chosen."""
    extends: bool = False
    """Whether the rows are added to those that are loaded."""


class Answered(Message):
    """A part of an answer of the reader."""

    def __init__(self, number: int, answer: Answer) -> None:
        super().__init__()
        self.number = number
        self.answer = answer


class Exported(Message):
    """How far an export is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class TextScreen(ModalScreen[None]):
    """A text, until a key is pressed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Show the text as it is."""
        yield Static(Text(self._text), id="text")

    def on_key(self, event: Key) -> None:
        """Close the screen."""
        event.stop()
        self.dismiss()


class Dashboard(App[None]):
    """Views of one session.

    Args:
        path: the session file.
        name: the session in command lines: an id or a path.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    * { background: ansi_default; color: ansi_default; }
    #head { height: 3; }
    #foot { height: 1; }
    Pane { height: 1fr; }
    Input { height: 1; border: none; padding: 0; display: none; }
    Input:focus { border: none; }
    TextScreen { align: center middle; }
    #text { width: 90%; height: auto; max-height: 100%; border: ascii ansi_default; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.name, key.action, priority=True) for key in KEYS
    ]
    """With priority, so that each key is done before the next one is looked at."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(ansi_color=True)
        self._session_name = name
        self._views = make_views()
        self._trail = Trail(Place(FIRST))
        self._cursor = Cursor()
        self._info: SessionInfo | None = None
        self._asked = _Asked(0, Want())
        self._said = self._line_is_for = ""
        self._asked_s = self._rests_until_s = 0.0
        """When the reader was asked last, and until when it rests: on the monotonic clock."""
        self._reader = Reader(Session(path), self._answer)
        self._exporter = Reader(Session(path), self._report_export)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being read or written."""
        return self._reader.is_idle and self._exporter.is_idle

    def command_line(self) -> str:
        """Return the command line that gives this view."""
        place = self._trail.place
        return self._views[place.view].command(place, self._session_name)

    def compose(self) -> ComposeResult:
        """Lay out the screen: three lines, the rows, one line."""
        self._head, self._foot = Static(id="head"), Static(id="foot")
        self._pane, self._line = Pane(self._cursor), Input()
        yield from (self._head, self._pane, self._line, self._foot)

    def on_mount(self) -> None:
        """Show the first view, and look at a live session again and again."""
        self._pane.focus()
        self._show_place()
        self.set_interval(POLL_EVERY_S, self._poll)

    def on_unmount(self) -> None:
        """End the threads."""
        self._reader.close()
        self._exporter.close()

    def on_pane_resized(self) -> None:
        """Fit the lines above and below, and read what a higher screen needs."""
        if self._info is not None:
            self._show_head(self._info)
        self._say(self._said)
        self._extend(self._cursor.more())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Leave the keys to a line that is asked for, or to a text that is shown."""
        return len(self.screen_stack) == 1 and not self._line.display

    # Keys

    def action_move(self, rows: int) -> None:
        """Choose another row."""
        self._extend(self._cursor.move(rows))
        self._pane.show_rows()

    def action_page(self, way: int) -> None:
        """Choose the row a screen further."""
        self._extend(self._cursor.page(way))
        self._pane.show_rows()

    def action_first(self) -> None:
        """Choose the first row."""
        self._jump(self._cursor.first())

    def action_last(self) -> None:
        """Choose the last row."""
        self._jump(self._cursor.last())

    def action_narrow(self) -> None:
        """Go where the chosen row leads."""
        row = self._cursor.chosen
        if row is not None and row.opens is not None:
            self._trail.narrow(row.opens, row.key)
            self._show_place()

    def action_widen(self) -> None:
        """Go back."""
        went, key = self._trail.widen()
        if went:
            self._show_place(key)

    def action_tab(self, at: int) -> None:
        """Show the same in another view."""
        place, view = self._trail.place, self._views[TABS[at].name]
        self._change(Place(view.name, view.scope(place.scope), show_all=place.show_all))

    def action_turn(self, by: int) -> None:
        """Show the same in the next view."""
        names = [view.name for view in TABS]
        at = names.index(self._trail.place.view) if self._trail.place.view in names else 0
        self.action_tab((at + by) % len(TABS))

    def action_sort(self) -> None:
        """Sort by the next field."""
        place, sorts = self._trail.place, self._views[self._trail.place.view].sorts
        if len(sorts) < 2:
            self._say("this view has one order; r reverses it")
            return
        at = sorts.index(place.sort) if place.sort in sorts else 0
        self._change(place._replace(sort=sorts[(at + 1) % len(sorts)]))

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._change(self._trail.place._replace(reverse=not self._trail.place.reverse))

    def action_all(self) -> None:
        """Show what belongs to the start-up, or hide it."""
        self._change(self._trail.place._replace(show_all=not self._trail.place.show_all))

    def action_fold(self) -> None:
        """Hide what is below the chosen row, or show it again."""
        place, row = self._trail.place, self._cursor.chosen
        if not self._views[place.view].is_tree(place):
            self._say("only the tree of processes can be folded: 1 shows it")
        elif row is not None:
            self._change(place._replace(folded=place.folded ^ {row.key}), row.key)

    def action_filter(self) -> None:
        """Ask for a text that rows must contain."""
        self._ask_for("filter", self._trail.place.match)

    def action_export(self) -> None:
        """Ask for the name of a file."""
        number = self._info.id if self._info else 0
        self._ask_for("export to", default_name(self._trail.place, number))

    def action_command(self) -> None:
        """Show the command line that gives this view."""
        self.push_screen(TextScreen(escape(self.command_line())))

    def action_help(self) -> None:
        """Show what the keys do."""
        self.push_screen(TextScreen(help_text()))

    # The line that is asked for

    def _ask_for(self, what: str, text: str) -> None:
        self._line.value = text
        self._line.display = True
        self.screen.set_focus(self._line)
        self._say(f"{what}: Enter takes it, Escape leaves it")
        self._line_is_for = what

    def on_key(self, event: Key) -> None:
        """Leave the line that is asked for."""
        if event.key == "escape" and self._line.display:
            self._close_line()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line."""
        text = event.value
        self._close_line()
        if self._line_is_for == "filter":
            self._change(self._trail.place._replace(match=text))
        elif text:
            self._export(Path(text))

    def _close_line(self) -> None:
        self._line.display = False
        self.screen.set_focus(self._pane)
        self._say("")

    # Reading

    def _answer(self, number: int, answer: Answer) -> None:
        self.post_message(Answered(number, answer))

    def _report_export(self, number: int, answer: Answer) -> None:
        self.post_message(Exported(answer))

    def _change(self, place: Place, key: int | None = None) -> None:
        """Show another place instead; `key` is that of the row to choose."""
        self._trail.change(place)
        self._show_place(key)

    def _show_place(self, key: int | None = None) -> None:
        """Show the present place; `key` is that of the row to choose."""
        place = self._trail.place
        self._cursor.replace(Part([], whole=True), Want())
        self._pane.show_columns(self._views[place.view].columns)
        self._say("reading...")
        self._ask(Want() if key is None else Want(key, including=True), key)

    def _ask(self, want: Want, key: int | None = None, extends: bool = False) -> None:
        place = self._trail.place
        view = self._views[place.view]

        def job(session: Session) -> Iterator[Part | SessionInfo | None]:
            yield session.info
            yield from view.read(session, place, want)

        self._asked = _Asked(self._reader.ask(job), want, key, extends)
        self._asked_s = time.monotonic()

    def _extend(self, want: Want | None) -> None:
        """Read the rows beyond those that are loaded, unless that is being done."""
        if want is not None and (self._reader.is_idle or self._asked.want != want):
            self._ask(want, extends=True)

    def _jump(self, want: Want | None) -> None:
        if want is not None:
            self._ask(want)
        self._pane.show_rows()

    def _poll(self) -> None:
        """Read again what is shown of a session that is being recorded."""
        self._reader.hurry()
        if self._info is None or self._info.status != "running":
            return
        if not self._reader.is_idle or time.monotonic() < self._rests_until_s:
            return
        if self._cursor.is_last:
            self._ask(Want(forward=False))
        else:
            chosen = self._cursor.chosen
            self._ask(self._cursor.again(), chosen.key if chosen else None)

    def on_answered(self, message: Answered) -> None:
        """Show what was read."""
        if message.number != self._asked.number:
            return
        if isinstance(message.answer, SessionInfo):
            self._info = message.answer
            self._show_head(self._info)
        elif isinstance(message.answer, ScopeError):
            self._say(str(message.answer))
        else:
            self._load(message.answer)

    def _load(self, part: Part) -> None:
        want, key = self._asked.want, self._asked.key
        if not self._asked.extends:
            self._cursor.replace(part, want, key)
        elif part.is_done:
            self._cursor.extend(part, want)
        self._pane.show_rows()
        if not self._line.display:
            self._say(part.note)
        if part.is_done:
            now_s = time.monotonic()
            self._rests_until_s = now_s + REST * (now_s - self._asked_s)
            self._extend(self._cursor.more())

    # Writing

    def _export(self, path: Path) -> None:
        place = self._trail.place
        view = make_views()[place.view]
        self._exporter.ask(lambda session: write_view(view, session, place, path))

    def on_exported(self, message: Exported) -> None:
        """Say how far the export is, or why there is none."""
        answer = message.answer
        self._say(answer.note if isinstance(answer, Part) else str(answer))

    # Lines above and below

    def _say(self, sentence: str) -> None:
        self._said = sentence
        line = shorten(escape(sentence) or FOOT, self.size.width)
        self._foot.update(Text(line, no_wrap=True))

    def _show_head(self, info: SessionInfo) -> None:
        place, width = self._trail.place, self.size.width
        head = Text(session_line(info, width) + "\n", "bold", no_wrap=True)
        for name, is_present in tabs(place):
            head.append(name, "not bold reverse" if is_present else "not bold")
        head.append("\n" + place_line(place, width), "not bold")
        self._head.update(head)
