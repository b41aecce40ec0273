"""What dynos print on its way to the log: whose it is, the last of it, and who else listens."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from homeport.engine import Output

TAIL = 50
"""Last lines of each dyno that are kept at hand, to say why it did not start: two tracebacks, as gunicorn prints its
own below the one that matters."""

_STRANGERS = 64
_STRANGER_OUTPUTS = 32

Listener = Callable[[str], None]


class Journal(Protocol):
    """The part of `logs.Logs` that dynos need. Neither method ever blocks or raises."""

    def write(self, app_id: str, source: str, dyno: str, texts: Iterable[str]) -> None: ...

    def write_output(self, app_id: str, dyno: str, raw: Sequence[bytes], dropped: int = 0) -> None: ...


@dataclass
class _Dyno:
    app_id: str
    name: str
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    listener: Listener | None = None


class Outputs:
    """The engine's sink. It knows dynos by their ids only; `introduce` says whose log a dyno writes to.

    An adopted dyno may speak before it was introduced: a little of that is kept until then.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._dynos: dict[str, _Dyno] = {}
        self._strangers: OrderedDict[str, deque[Output]] = OrderedDict()

    def __call__(self, output: Output) -> None:
        dyno = self._dynos.get(output.id)
        if dyno is None:
            self._keep(output)
            return
        self._journal.write_output(dyno.app_id, dyno.name, output.lines, output.dropped)
        for raw in output.lines if dyno.listener is not None else output.lines[-TAIL:]:
            text = raw.decode(errors="replace")
            dyno.tail.append(text)
            if dyno.listener is not None:
                dyno.listener(text)

    def say(self, app_id: str, name: str, texts: Sequence[str], *, source: str = "heroku") -> None:
        """What the platform says of a dyno, in the order in which things happen."""
        if texts:
            self._journal.write(app_id, source, name, texts)

    def introduce(self, id: str, app_id: str, name: str) -> None:
        if id not in self._dynos:
            self._dynos[id] = _Dyno(app_id, name)
            for output in self._strangers.pop(id, ()):
                self(output)

    def listen(self, id: str, listener: Listener) -> None:
        """Give each line of an introduced dyno to `listener` too. It must neither block nor raise."""
        self._dynos[id].listener = listener

    def tail(self, id: str) -> list[str]:
        dyno = self._dynos.get(id)
        return list(dyno.tail) if dyno is not None else []

    def forget(self, id: str) -> None:
        self._dynos.pop(id, None)

    def _keep(self, output: Output) -> None:
        kept = self._strangers.setdefault(output.id, deque(maxlen=_STRANGER_OUTPUTS))
        kept.append(output)
        while len(self._strangers) > _STRANGERS:
            self._strangers.popitem(last=False)
