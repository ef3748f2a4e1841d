"""How the simulated platform misbehaves, when told to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

MODES = {
    "normal": "正常应答",
    "fail": "返回500错误",
    "delay": "延迟应答",
    "timeout": "已处理但应答超时",
    "reject": "返回422拒收",
    "duplicate": "应答为重复件",
}
LONGEST = 120.0


@dataclass(frozen=True)
class Behaviour:
    """What to do with the next deliveries; `times` 0 means until told otherwise."""

    mode: str = "normal"
    seconds: float = 0.0
    times: int = 0
    operation: str = ""

    @property
    def title(self) -> str:
        """The mode in Chinese."""
        return MODES[self.mode]


NORMAL = Behaviour()


def read(values: Mapping[str, Any]) -> Behaviour:
    """A behaviour from a form or JSON; ValueError with a Chinese message when it makes no sense."""
    mode = str(values.get("mode", "normal"))
    if mode not in MODES:
        raise ValueError("未知的应答方式")
    try:
        seconds, times = float(values.get("seconds") or 0), int(values.get("times") or 0)
    except (TypeError, ValueError) as error:
        raise ValueError("秒数和次数应为数字") from error
    if not (0 <= seconds <= LONGEST and times >= 0):
        raise ValueError("秒数应在0–120之间，次数不能为负")
    return Behaviour(mode, seconds, times, str(values.get("operation") or ""))


class Control:
    """The one switch, shared by all request threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now = NORMAL

    @property
    def current(self) -> Behaviour:
        """What would happen to a delivery now."""
        return self._now

    def set(self, behaviour: Behaviour) -> None:
        """Behave like this from now on."""
        with self._lock:
            self._now = behaviour

    def next_for(self, operation: str) -> Behaviour:
        """How to treat this delivery; counts it against `times`."""
        with self._lock:
            found = self._now
            if found.mode == "normal" or found.operation not in ("", operation):
                return NORMAL
            if found.times == 1:
                self._now = NORMAL
            elif found.times > 1:
                self._now = replace(found, times=found.times - 1)
            return found
