"""Two small flows without tickets: what the engine and the interface cost by themselves."""

from pathlib import Path

THREE_STEPS = "bench_three_steps"
"""Three user tasks in a row, for anybody with the county's role."""
FOUR_HANDS = "bench_four_hands"
"""Four user tasks at the same time and a join."""


def bundle(process_key: str) -> dict[str, bytes]:
    """The sources of one flow, as they are deployed."""
    file = Path(__file__).with_name(f"{process_key}.bpmn")
    return {file.name: file.read_bytes()}
