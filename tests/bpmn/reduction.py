"""A shipped diagram as plain BPMN for the soundness analyser, which knows nothing of events.

The analyser (rust_bpmn_analyzer) explores every state of tasks, gateways and ends. What it does not
know is rewritten into what it does; each rewriting allows every behaviour the original has:

- A call activity is a task: the called diagram is analysed by itself.
- Tasks and catching events are tasks: the wait is over some day.
- An event gateway is an exclusive one: whichever event comes first.
- An interrupting boundary event is a choice after the activity: done, or interrupted.
- A non-interrupting one: its path before the activity, any number of times. They share nothing.
- The loop that listens for matters takes one at a time. Of several at once each has a token and a
  called process of its own, and they share nothing but the end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_Q = f"{{{BPMN}}}"
_TASKS = ("userTask", "serviceTask", "callActivity", "intermediateCatchEvent")


class _Flat:
    """Nodes (id → tag) and flows (source, target) of one process."""

    def __init__(self, root: Any) -> None:
        process = root.find(f"{_Q}process")
        self.nodes: dict[str, str] = {}
        self.hosts: dict[str, tuple[str, bool]] = {}
        self.terminates: set[str] = set()
        for element in process:
            tag, name = etree.QName(element).localname, element.get("id")
            if tag == "boundaryEvent":
                interrupts = element.get("cancelActivity") != "false"
                self.hosts[name] = element.get("attachedToRef"), interrupts
            elif tag in _TASKS:
                self.nodes[name] = "task"
            elif tag == "eventBasedGateway":
                self.nodes[name] = "exclusiveGateway"
            elif tag.endswith(("Gateway", "Event")):
                self.nodes[name] = tag
            if element.find(f"{_Q}terminateEventDefinition") is not None:
                self.terminates.add(name)
        self.flows = [
            (flow.get("sourceRef"), flow.get("targetRef"))
            for flow in process.iterfind(f"{_Q}sequenceFlow")
        ]

    def rewrite(self) -> None:
        for event, (host, interrupts) in self.hosts.items():
            if interrupts:
                interrupt(self, event, host)
        for event, (host, interrupts) in self.hosts.items():
            if not interrupts:
                beside(self, event, host)
        if ("matter_fork", "matters_in") in self.flows:
            self.flows.remove(("matter_fork", "matters_in"))
            self.flows.remove(("matter_exit", "matter_ended"))
            self.flows.append(("matter_exit", "matters_in"))
            self.nodes["matter_fork"] = "exclusiveGateway"
            del self.nodes["matter_ended"]


def interrupt(flat: _Flat, event: str, host: str) -> None:
    """The activity is followed by a choice: its own way on, or the event's."""
    choice = f"{host}_or_{event}"
    flat.nodes[choice] = "exclusiveGateway"
    onward = next(each for each in flat.flows if each[0] == host)
    caught = next(each for each in flat.flows if each[0] == event)
    flat.flows = [each for each in flat.flows if each not in (onward, caught)]
    flat.flows += [(host, choice), (choice, onward[1]), (choice, caught[1])]


def beside(flat: _Flat, event: str, host: str) -> None:
    """The event's path is gone through before the activity, as often as it comes, or never."""
    again = f"{event}_again"
    flat.nodes[again] = "exclusiveGateway"
    into = next(each for each in flat.flows if each[1] == host)
    caught = next(each for each in flat.flows if each[0] == event)
    last = [each for each in _path(flat, caught[1]) if flat.nodes[each[1]] == "endEvent"]
    flat.flows = [each for each in flat.flows if each not in (into, caught, *last)]
    flat.flows += [(into[0], again), (again, host), (again, caught[1])]
    for before, end in last:
        flat.flows.append((before, again))
        del flat.nodes[end]


def _path(flat: _Flat, start: str) -> list[tuple[str, str]]:
    """The flows that lead on from here."""
    found: list[tuple[str, str]] = []
    waiting = [start]
    while waiting:
        here = waiting.pop()
        further = [each for each in flat.flows if each[0] == here and each not in found]
        found += further
        waiting += [target for _, target in further]
    return found


def reduced(file: Path) -> str:
    """The plain model of a diagram."""
    flat = _Flat(etree.fromstring(file.read_bytes()))
    flat.rewrite()
    lines = [f'<definitions xmlns="{BPMN}" id="d" targetNamespace="x">', '<process id="p">']
    lines += _drawn(flat)
    return "\n".join([*lines, "</process>", "</definitions>"])


def _drawn(flat: _Flat) -> Iterator[str]:
    for name, tag in flat.nodes.items():
        inner = [f"<incoming>{s}_to_{t}</incoming>" for s, t in flat.flows if t == name]
        inner += [f"<outgoing>{s}_to_{t}</outgoing>" for s, t in flat.flows if s == name]
        if name in flat.terminates:
            inner.append(f'<terminateEventDefinition id="{name}_terminate"/>')
        yield f'<{tag} id="{name}" name="{name}">{"".join(inner)}</{tag}>'
    for source, target in flat.flows:
        yield f'<sequenceFlow id="{source}_to_{target}" sourceRef="{source}" targetRef="{target}"/>'
