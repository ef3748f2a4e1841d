"""What may happen to a ticket, an act each, and who takes part: the words of the stories.

An act is done once. Whoever dies in it finds in the notes what was sent and sends it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.people import Person


@dataclass(frozen=True)
class Key:
    """How a 12345 platform signs."""

    app_id: str
    secret: str


@dataclass(frozen=True)
class Cast:
    """The people, the platforms of the provinces, and the browser session of the one who uploads.

    `journal` is what the simulator received.
    """

    people: dict[str, Person]
    keys: dict[str, Key]
    cookie: str
    csrf_token: str
    journal: Path


Values = Callable[[Cast], dict[str, Any]]


def plain(**values: Any) -> Values:
    """Values that depend on nobody."""
    return lambda cast: values


_NOTHING = plain()


@dataclass(frozen=True)
class Submit:
    """12345 submits a complaint, with a file unless others submit the same."""

    name = "submit"


@dataclass(frozen=True)
class Ring:
    """12345 announces a call."""

    name = "ring"


@dataclass(frozen=True)
class AskForEffects:
    """Work items are added whose effect is counted."""

    name = "effects"


@dataclass(frozen=True)
class Do:
    """Somebody does a user task; with `uploads` a report goes with it."""

    name: str
    who: str
    values: Values = _NOTHING
    uploads: bool = False


@dataclass(frozen=True)
class Act:
    """Somebody acts beside the flow (随时操作)."""

    name: str
    who: str
    values: Values


@dataclass(frozen=True)
class Tell:
    """12345 says something about the ticket: the last part of the address, and the body."""

    name: str
    values: Values


@dataclass(frozen=True)
class Until:
    """Schedulers and couriers work until the ticket has one of these states and nothing is due."""

    states: tuple[str, ...]
    name = "until"


@dataclass(frozen=True)
class TimePasses:
    """Nobody comes by until the diagram's next timer, or a step of a time limit (“handle red”)."""

    until: str

    @property
    def name(self) -> str:
        """What the time is passed for."""
        return f"time {self.until}"


Acting = Submit | Ring | AskForEffects | Do | Act | Tell | Until | TimePasses


@dataclass(frozen=True)
class Story:
    """What happens to one ticket.

    A sweep kills from the act `begins` on; what comes before is done in peace. With a `clock` the
    story has a time of its own, from the morning of the next working day on; then nothing is
    delivered before its end, as 12345 lives today. `end` is the ticket's state at the end.
    """

    name: str
    acts: tuple[Acting, ...]
    begins: int = 0
    end: str = "archived"
    province: str = "520000"
    clock: bool = False

    def label(self, index: int) -> str:
        """The name of an act, as the notes have it: an act may come twice in a story."""
        return f"{index} {self.acts[index].name}"
