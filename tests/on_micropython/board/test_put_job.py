"""A job handed over on the cable: the same checks and the same path as one from the backend, with or without a network."""

import json
from binascii import b2a_base64

from .world import World, firmware, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCAL_ID = 0x80000000 + 5


def in_base64(job: "dict[str, Any]") -> str:
    """The job as `put_job` takes it."""
    return b2a_base64(json.dumps(job).encode()).strip().decode()


def request(job: "dict[str, Any]") -> bytes:
    """The whole line that hands the job over."""
    return b'@dispctl {"id": 1, "op": "put_job", "job": "' + in_base64(job).encode() + b'"}\n'


def put(world: World, job: "dict[str, Any]") -> "dict[str, Any]":
    """The answer to `put_job` with this job."""
    return world.ask("put_job", job=in_base64(job))


def without_network() -> World:
    """A board that sees no network, some seconds after its start."""
    world = World()
    world.networks.clear()
    world.run_for(3_000)
    return world


def kept(world: World) -> "dict[str, Any]":
    """The results of the last local job, decoded as the host does it."""
    codec = firmware("job_state")
    view: dict[str, Any] = codec.decode_rejected({codec.REJECTED_FILE: world.storage.files[codec.LOCAL_FILE]})
    return view


def test_a_backends_job_is_poured_at_once_and_reported_when_the_network_is_there() -> None:
    world = without_network()
    job = make_job(seconds=(0.5, 1.0))
    assert put(world, job) == {"id": 77, "ok": True, "job": 7, "ended": False}
    world.run(lambda: world.outputs.poured_ms == [500, 1000, 0, 0])
    world.run(lambda: "[REPORT] Mantendo job em Flash para retry posterior" in world.lines)
    assert world.backend.reports == {}
    world.backend.queue.append(job)
    world.networks["Cozinha"] = "tempero123"
    world.run(lambda: 7 in world.backend.reports and world.idle)
    world.run_for(5_000)
    assert world.outputs.poured_ms == [500, 1000, 0, 0], "handed out as well, and poured once"


def test_it_is_on_flash_before_a_jar_opens_whichever_operation_is_cut() -> None:
    operation = 0
    cuts = 1
    while cuts:
        operation += 1
        world = without_network()
        world.storage.cut_at = world.storage.operations + operation
        world.serial.type_in(request(make_job(LOCAL_ID, seconds=(0.5, 0.5))))
        world.run_for(20_000)
        cuts = world.cuts
        assert world.idle
        poured_ms = world.outputs.poured_ms
        if "job_state.local" in world.storage.names():
            assert [item["state"] for item in kept(world)["items"]] == ["done", "done"]
            assert 1000 <= sum(poured_ms) <= 2000, (operation, poured_ms)
        else:
            assert poured_ms == [0, 0, 0, 0], operation
            assert world.serial.answers() == []
    assert operation > 6, "the job takes more operations than that"


def test_a_repeat_is_answered_as_the_first_and_poured_once() -> None:
    world = without_network()
    job = make_job(LOCAL_ID, seconds=(2.0,))
    world.while_pouring(1, 500, lambda: world.serial.type_in(request(job)))
    first = put(world, job)
    world.run(lambda: world.idle)
    repeated = world.serial.answers()[-1]
    assert (repeated["job"], repeated["ended"]) == (first["job"], first["ended"]) == (LOCAL_ID, False)
    assert put(world, job) == {"id": 77, "ok": True, "job": None, "ended": True}
    assert world.outputs.poured_ms == [2000, 0, 0, 0]


def test_another_job_is_not_parsed_while_a_jar_is_open() -> None:
    """It would take longer than the end of a pour can wait. The same one is known though written differently."""
    world = without_network()
    dispenser = firmware("dispenser")
    parse, parsed = dispenser.parse_job, []

    def watched(payload: bytes) -> object:
        parsed.append(json.loads(payload)["id"])
        return parse(payload)

    dispenser.parse_job = watched
    try:
        job = make_job(LOCAL_ID, seconds=(2.0,))
        world.while_pouring(1, 300, lambda: world.serial.type_in(request(dict(job, status="running"))))
        world.while_pouring(1, 600, lambda: world.serial.type_in(request(make_job(LOCAL_ID + 1))))
        put(world, job)
        world.run(lambda: world.idle)
    finally:
        dispenser.parse_job = parse
    assert parsed == [LOCAL_ID, LOCAL_ID]
    _, repeated, other = world.serial.answers()
    assert repeated["ok"]
    assert (other["ok"], other["error"]) == (False, f"busy: job {LOCAL_ID} is on the board")


def test_another_job_under_way_keeps_it_out() -> None:
    world = without_network()
    world.while_pouring(1, 500, lambda: world.serial.type_in(request(make_job(LOCAL_ID + 1))))
    put(world, make_job(LOCAL_ID, seconds=(2.0,)))
    world.run(lambda: world.idle)
    answer = world.serial.answers()[-1]
    assert (answer["ok"], answer["error"]) == (False, f"busy: job {LOCAL_ID} is on the board")
    assert world.outputs.poured_ms == [2000, 0, 0, 0]


def test_what_is_no_job_is_refused_and_leaves_nothing() -> None:
    world = without_network()
    for job in (None, 5, "%%%", ""):
        assert not world.ask("put_job", job=job)["ok"], job
    for document in ({}, {"id": 0, "itens": [1]}, {"id": 3, "itens": []}, {"id": 3, "itens": [{}] * 300}):
        assert not put(world, document)["ok"], document
    assert world.idle
    assert put(world, make_job(LOCAL_ID))["ok"]


def test_the_longest_payload_fits_into_one_line() -> None:
    world = without_network()
    job = make_job(LOCAL_ID, seconds=(0.1,), note="")
    job["note"] = "x" * (4096 - len(json.dumps(job)))
    assert len(json.dumps(job)) == 4096
    assert put(world, job)["ok"]
    world.run(lambda: world.idle)
    job = make_job(LOCAL_ID + 1, seconds=(0.1,), note=job["note"] + "x")
    assert "4096" in put(world, job)["error"]


def test_a_local_jobs_results_stay_on_the_board_and_reach_no_backend() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    put(world, make_job(LOCAL_ID, seconds=(0.5, 200.0, 0.5)))
    world.run(lambda: "job_state.local" in world.storage.names() and world.idle)
    assert [item["state"] for item in kept(world)["items"]] == ["done", "failed", "done"]
    assert world.backend.reports == {}
    assert not [line for line in world.backend.requests if "/jobs/" in line]
    world.run_job(make_job(8, seconds=(0.2,)))


def test_a_backend_cannot_hand_out_a_local_id() -> None:
    world = World()
    world.backend.queue.append(make_job(LOCAL_ID, seconds=(0.5,)))
    world.run_for(10_000)
    assert world.outputs.poured_ms == [0, 0, 0, 0]
    assert any("id reservado" in line for line in world.lines)


def test_a_job_that_comes_while_the_backend_answers_is_not_overwritten() -> None:
    for after_ms in range(0, 1_500, 35):
        world = World()
        world.run(lambda world=world: world.dispenser.state == "online")
        world.backend.queue.append(make_job(7, seconds=(0.3,)))
        line = request(make_job(LOCAL_ID, seconds=(0.7,)))
        world.clock.after(after_ms, lambda world=world, line=line: world.serial.type_in(line))
        world.run(lambda world=world: 7 in world.backend.reports and world.serial.answers() and world.idle)
        taken = world.serial.answers()[0]["ok"]
        assert world.outputs.poured_ms[0] == (1000 if taken else 300), after_ms
