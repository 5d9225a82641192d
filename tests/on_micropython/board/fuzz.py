"""Bytes, control lines and HTTP answers that nobody meant: `micropython fuzz.py ROOT BYTES LINES ANSWERS SEED`.

The firmware has to be running afterwards: it answers, and does a job. 0x03 is left out: it is Ctrl-C, which stops the
program by design. Prints one JSON line; a failure raises.
"""

import gc
import json
import random
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from tests.on_micropython.board.world import World, make_job

CHUNK_BYTES = 2048
POLL_LIMIT_MS = 120_000
LINES = (
    b'@dispctl {"id": 1, "op": "status"}',
    b'@dispctl {"id": 2, "op": "job_state", "file": "job_state", "offset": 0}',
    b'@dispctl {"id": 3, "op": "get_settings"}',
    b'@dispctl {"id": 4, "op": "set_settings", "settings": {"heartbeat_sec": 20, "debug_http": true}}',
    b'@dispctl {"id": 5, "op": "set_settings", "settings": {"actuator": {"kind": "servo", "channels": [0, 1, 2, 3]}}}',
    b'@dispctl {"id": 6, "op": "set_settings", "settings": {"ca_pem": {"append": "x"}}}',
    b'@dispctl {"id": 7, "op": "abort_job"}',
    b'@dispctl {"id": 8, "op": "clear_job"}',
    b'@dispctl {"id": 9, "op": "scan"}',
    b'@dispctl {"id": 10, "op": "resume"}',
)
ANSWERS = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}',
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{"id":8,"itens":[{"frasco":9,"segundos":1}]}',
    b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n",
)
_WORDS = (
    b"{",
    b"}",
    b'"',
    b"[[[[",
    b"null",
    b"-1",
    b"1e999",
    b"\\u0000",
    b"\xff\xfe",
    b"\r\n",
    b"99999999999999999999",
)


def mutated(original: bytes) -> bytes:
    """One to four changes: a byte, a word in between, a piece left out or doubled, an end cut off."""
    data = bytearray(original)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, max(len(data) - 1, 0))
        kind = random.randint(0, 4)
        if kind == 0 and data:
            data[at] = random.randint(0, 255)
        elif kind == 1:
            data = data[:at] + random.choice(_WORDS) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + random.randint(1, 8) :]
        elif kind == 3:
            data = data[:at] + data[at : at + 20] + data[at:]
        else:
            data = data[: len(data) - random.randint(0, 12)]
    return bytes(data).replace(b"\x03", b"\x04")


def forget(world: World) -> None:
    """What the stand-ins keep."""
    world.serial.lines.clear()
    world.serial.writes.clear()
    world.backend.requests.clear()
    gc.collect()


def feed_bytes(world: World, count: int) -> None:
    """Random bytes, as they come."""
    for _ in range(count // CHUNK_BYTES):
        noise = bytes([random.getrandbits(8) for _ in range(CHUNK_BYTES)])
        world.serial.type_in(noise.replace(b"\x03", b"\x04"))
        world.run_for(200)
        forget(world)
    world.serial.type_in(b"\n")


def feed_lines(world: World, count: int) -> None:
    """Mutated control lines, forty at a time."""
    for number in range(count):
        world.serial.type_in(mutated(random.choice(LINES)) + b"\n")
        if number % 40 == 0:
            world.run_for(200)
            forget(world)


def feed_answers(world: World, count: int) -> None:
    """Mutated answers to polls, without the pauses that a failing backend brings."""
    while count > 0:
        world.backend.faults = [mutated(random.choice(ANSWERS)) for _ in range(100)]
        before = len(world.backend.faults)
        while len(world.backend.faults) > 1:
            world.dispenser.parts.watchdog.allow(POLL_LIMIT_MS)  # as each pass of its loop does
            world.dispenser.poll_next_job()
            if world.dispenser.job is not None:
                world.run_for(1000)
        count -= before
        forget(world)


def check_running(world: World, job_id: int) -> None:
    """It answers and does a job; nobody reset it meanwhile."""
    world.backend.faults = []
    assert world.ask("status")["ok"]
    world.ask("set_settings", settings={"ssid": "Cozinha", "password": "tempero123"})
    world.ask(
        "set_settings",
        settings={"backend_url": "http://backend.test:8000", "device_token": world.backend.token},
    )
    world.run_job(make_job(job_id, seconds=(0.2, 0.2)))
    assert world.resets == world.cuts == 0
    assert world.watchdog.starved_ms == 0


def main() -> None:
    """All three, each followed by a job."""
    byte_count, line_count, answer_count, seed = [int(word) for word in sys.argv[2:6]]
    random.seed(seed)
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    feed_bytes(world, byte_count)
    check_running(world, 900001)
    feed_lines(world, line_count)
    check_running(world, 900002)
    feed_answers(world, answer_count)
    check_running(world, 900003)
    print(json.dumps({"bytes": byte_count, "lines": line_count, "answers": answer_count, "seed": seed}))


main()
