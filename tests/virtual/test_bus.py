"""The bus's framing, and that both ends of it number its operations alike."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual import bus

RUNTIME_BUS = Path(bus.__file__).with_name("runtime") / "bus.py"

requests = st.lists(
    st.builds(bus.Request, st.integers(min_value=0, max_value=255), st.binary(max_size=300)), max_size=8
)


def frame(request: bus.Request) -> bytes:
    return bus.HEADER.pack(request.operation, len(request.payload)) + request.payload


@given(requests, st.data())
def test_requests_come_whole_however_the_stream_is_cut(sent: list[bus.Request], data: st.DataObject) -> None:
    stream = b"".join(frame(request) for request in sent)
    reader = bus.RequestReader()
    received = []
    while stream:
        size = data.draw(st.integers(min_value=1, max_value=len(stream)))
        received += reader.feed(stream[:size])
        stream = stream[size:]
    assert received == sent


def test_an_answer_carries_its_length_and_an_errno() -> None:
    assert bus.answer(b"abc") == b"\x00\x03\x00abc"
    assert bus.answer(error=5) == b"\x05\x00\x00"


def test_the_runtime_numbers_the_operations_alike() -> None:
    constants = {}
    for node in ast.parse(RUNTIME_BUS.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if isinstance(node.value, ast.Constant) and name in bus.Operation.__members__:
                constants[name] = node.value.value
    assert constants == {operation.name: operation.value for operation in bus.Operation}
