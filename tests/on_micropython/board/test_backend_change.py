"""Answers that come late, cut, or from a backend of before: what they may change, and what they may not."""

import json

from .world import World, claim_code, firmware, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLAIM, NEXT_JOB = "/devices/claim", "/devices/me/next_job"


def type_settings(world: World, **changes: "Any") -> None:
    """Put a request for new settings on the cable."""
    request = {"id": 5, "op": "set_settings", "settings": changes}
    world.serial.type_in(b"@dispctl " + json.dumps(request).encode() + b"\n")


def set_during(world: World, path: str, **changes: "Any") -> "list[tuple[str, str | None]]":
    """Change settings while the first request to `path` is answered; what is asked afterwards: path and token."""
    seen: list[tuple[str, str | None]] = []
    answer = world.backend.answer

    def note(method: str, asked: str, headers: "dict[str, str]", body: bytes) -> "tuple[int, bytes]":
        if any(path == earlier for earlier, _ in seen):
            seen.append((asked, headers.get("authorization")))
            return answer(method, asked, headers, body)
        if asked == path:
            seen.append((asked, None))
            type_settings(world, **changes)
        return answer(method, asked, headers, body)

    world.backend.answer = note  # type: ignore[method-assign]
    world.run(lambda: bool(world.serial.answers()) and world.serial.answers()[0]["ok"], 30_000)
    return seen


def test_a_new_code_outlives_the_refusal_of_the_old_one() -> None:
    world = World(device_token=None, claim_code="000000")
    set_during(world, CLAIM, claim_code=claim_code())
    world.run(lambda: world.backend.claims == 1, 30_000)
    world.run(lambda: world.backend.heartbeats > 0, 30_000)


def test_a_token_that_comes_late_is_told_to_no_other_backend() -> None:
    world = World(device_token=None, claim_code=claim_code())
    seen = set_during(world, CLAIM, backend_url="http://other.test")
    world.run(lambda: len(seen) > 1, 20_000)
    assert seen[1] == (CLAIM, None), "the other backend was told the token of the one before"


def test_a_job_of_the_backend_of_before_is_not_taken() -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=(0.5,)))
    set_during(world, NEXT_JOB, backend_url="http://other.test")
    world.run_for(5_000)
    assert world.outputs.openings == []
    assert world.idle


def test_changed_settings_use_no_connection_of_before() -> None:
    world = World()
    world.run(lambda: world.backend.heartbeats > 0)
    assert world.backend.connections == 1
    set_during(world, NEXT_JOB, tls_insecure=True)
    world.run_for(3_000)
    assert world.backend.connections == 2, "the connection over which the last answer came was kept"
    world.ask("set_settings", settings={"tls_insecure": False})
    world.run_for(3_000)
    assert world.backend.connections == 3


def test_a_refusal_by_the_backend_of_before_says_nothing_of_this_one() -> None:
    world = World(device_token="ended")
    set_during(world, "/devices/me/heartbeat", device_token="token-1")
    world.run(lambda: world.backend.heartbeats > 0, 30_000)
    assert world.ask("status")["backend"]["claimed"]
    assert not [line for line in world.lines if "Token recusado" in line], world.lines


def waiting_to_report() -> World:
    """A board with a job that its backend does not take the report of, for now."""
    world = World()
    world.backend.report_faults = ["503"]
    world.backend.queue.append(make_job(seconds=(0.5,)))
    world.run(lambda: "[REPORT] Mantendo job em Flash para retry posterior" in world.lines)
    return world


def test_a_report_does_not_follow_to_another_backend() -> None:
    world = waiting_to_report()
    answer = world.ask("set_settings", settings={"backend_url": "http://other.test"})
    assert not answer["ok"]
    for words in ("job 7", "http://backend.test:8000", "clear", "same_backend"):
        assert words in answer["error"], answer
    world.run(lambda: 7 in world.backend.reports, 60_000)
    assert world.ask("set_settings", settings={"backend_url": "http://other.test"})["ok"]


def test_a_report_follows_to_the_same_backends_new_address() -> None:
    world = waiting_to_report()
    changes = {"backend_url": "http://other.test", "claim_code": claim_code()}
    assert world.ask("set_settings", settings=changes, same_backend=True)["ok"]
    world.run(lambda: 7 in world.backend.reports and world.idle, 60_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]


def test_the_address_that_it_has_is_no_change_and_a_local_job_is_no_backends() -> None:
    world = waiting_to_report()
    assert world.ask("set_settings", settings={"backend_url": "http://backend.test:8000"})["ok"]
    world = World(on_interrupted="ask")
    world.run_for(1_000)
    payload = json.dumps(make_job(2_147_483_648, seconds=(5.0,))).encode()
    world.dispenser.put_job(payload)
    assert world.ask("set_settings", settings={"backend_url": "http://other.test"})["ok"]


def test_a_job_that_may_lack_its_end_is_asked_for_again() -> None:
    job = make_job(seconds=(0.5, 0.5))
    body = json.dumps(job).encode()
    for head in (b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"):
        for length in (0, 1, 200, len(body) - 1):
            world = World()
            world.backend.faults = ["ok", head + body[:length]]
            world.run_job(job, 30_000)
            assert world.outputs.poured_ms == [500, 500, 0, 0], (head, length)
            assert world.backend.report_count == 1


def test_a_whole_job_of_unsaid_length_is_poured() -> None:
    world = World()
    job = make_job(seconds=(0.5,))
    world.backend.faults = ["ok", b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(job).encode()]
    world.run(lambda: 7 in world.backend.reports, 30_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]


def test_a_job_that_is_bad_in_its_whole_length_is_still_refused() -> None:
    world = World()
    world.backend.raw_job = b'{"id": 7, "itens": [{"ordem": 1'
    world.run(lambda: 7 in world.backend.reports, 30_000)
    assert world.outputs.openings == []


def test_every_refusal_of_a_report_is_final_but_those_that_pass() -> None:
    for status in ("400", "403", "405", "409", "410", "413", "418", "451"):
        world = World()
        world.backend.report_faults = [status]
        world.backend.queue.append(make_job(seconds=(0.5,)))
        world.run(lambda w=world: "job_state.rejected" in w.storage.files and w.idle, 60_000)  # type: ignore[misc]
    for status in ("408", "425", "429", "500", "503", "302"):
        world = World()
        world.backend.report_faults = [status]
        world.run_job(make_job(seconds=(0.5,)), 120_000)
        assert world.backend.report_count == 1, status
        assert "job_state.rejected" not in world.storage.files


def test_halves_of_characters_reach_no_report_and_no_network() -> None:
    job = json.dumps(make_job(seconds=(0.5, 0.5, 0.5)))
    for plain, halves in (
        ("Sal", "\\ud83c\\udf36 forte"),
        ("Pimenta", "x\\ud83c"),
        ('"frasco": 3', '"frasco": "\\udf36"'),
    ):
        job = job.replace(plain, halves)
    world = World()
    world.backend.raw_job = job.encode()
    bodies: list[bytes] = []
    answer = world.backend.answer

    def note(method: str, asked: str, headers: "dict[str, str]", body: bytes) -> "tuple[int, bytes]":
        bodies.append(body)
        return answer(method, asked, headers, body)

    world.backend.answer = note  # type: ignore[method-assign]
    world.run(lambda: 7 in world.backend.reports, 30_000)
    world.backend.raw_job = None
    for body in bodies:
        body.decode()  # UTF-8, or it raises
    logs = world.backend.reports[7]["execution_logs"]
    assert [entry["tempero"] for entry in logs] == [chr(0x1F336) + " forte", "x?", "Cominho"]
    assert logs[2]["error"] == "frasco ? inválido"
    world.networks[chr(0x1F336)] = "certa123"
    line = b'@dispctl {"id": 1, "op": "set_settings", "settings": {"ssid": "\\ud83c\\udf36", "password": "certa123"}}\n'
    world.serial.type_in(line)
    world.run(lambda: world.dispenser.parts.settings["ssid"] == chr(0x1F336), 60_000)


def test_characters_are_put_together_from_their_halves() -> None:
    whole_text = firmware("halves").whole_text
    high, low, chili = chr(0xD83C), chr(0xDF36), chr(0x1F336)
    for halves, whole in (
        ("", ""),
        ("Sal", "Sal"),
        ("Orégano", "Orégano"),
        (high + low, chili),
        ("a" + high + low + "b", "a" + chili + "b"),
        (high, "?"),
        (low, "?"),
        (low + high, "??"),
        (high + high + low, "?" + chili),
        (high + low + low, chili + "?"),
        (high + "x", "?x"),
        (chr(0xD800) + chr(0xDC00) + chr(0xDBFF) + chr(0xDFFF), chr(0x10000) + chr(0x10FFFF)),
        (12, "12"),
    ):
        assert whole_text(halves) == whole, halves
