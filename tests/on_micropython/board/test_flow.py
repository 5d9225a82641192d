"""Phase 2's flow: its four manual tests with their lines in order, and what must not go wrong around them."""

import json
import sys

from .world import PASSWORD, SSID, World, claim_code, firmware, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def assert_in_order(lines: "list[str]", wanted: "list[str]") -> None:
    """Each of `wanted` is a whole line, after the one before."""
    start = 0
    for text in wanted:
        assert text in lines[start:], f"{text!r} not in {lines[start:]}"
        start = lines.index(text, start) + 1


def entries(world: World, job_id: int = 7) -> "Any":
    """The report's log."""
    return world.backend.reports[job_id]["execution_logs"]


def test_normal_run() -> None:
    world = World()
    world.run_job(make_job(seconds=(5.0, 0.2, 2.5, 1.0)))
    assert_in_order(
        world.lines,
        [
            "[POLL] ✓ Job recebido!",
            "[POLL] Job 7 salvo em Flash para execução offline",
            "[EXEC] Iniciando execução do job 7",
            "[EXEC] Item 1/4: Frasco 1 por 5.000s",
            "[EXEC] ✓ Item 1 concluído (real: 5.00s). Progresso salvo.",
            "[EXEC] Item 2/4: Frasco 2 por 0.200s",
            "[EXEC] ✓ Item 2 concluído (real: 0.20s). Progresso salvo.",
            "[EXEC] Item 4/4: Frasco 4 por 1.000s",
            "[REPORT] Enviando relatório do job 7",
            "[REPORT] ✓ Relatório enviado com sucesso!",
        ],
    )
    assert world.outputs.poured_ms == [5000, 200, 2500, 1000]
    assert world.backend.reports[7]["itens_completados"] == 4
    assert [entry["status"] for entry in entries(world)] == ["done"] * 4
    assert not world.outputs.any_open


def test_every_line_is_one_write() -> None:
    world = World()
    world.run_job(make_job())
    for data in world.serial.writes:
        assert data.startswith(b"["), data
        assert data.endswith(b"\r\n"), data
        assert data.count(b"\n") == 1, data


def test_wifi_lost_during_execution() -> None:
    world = World()
    world.backend.queue.append(make_job())
    world.while_pouring(2, 500, lambda: setattr(world.radio, "up", False))
    world.clock.after(20_000, lambda: setattr(world.radio, "up", True))
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert_in_order(
        world.lines,
        [
            "[EXEC] ✓ Item 4 concluído (real: 1.00s). Progresso salvo.",
            "[REPORT] ✗ Falha ao reportar: HTTP 0",
            "[REPORT] Mantendo job em Flash para retry posterior",
            "[LOOP] Tentando reportar job pendente...",
            "[REPORT] ✓ Relatório enviado com sucesso!",
        ],
    )
    assert world.outputs.poured_ms == [1000] * 4


def test_reset_during_item_3() -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=(1.0, 1.0, 5.0, 1.0)))
    world.while_pouring(3, 2500, world.mains.reset)
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert world.resets == 1
    assert_in_order(
        world.lines,
        [
            "[EXEC] Item 3/4: Frasco 3 por 5.000s",
            "[SETUP] Job anterior detectado, será retomado ao conectar",
            "[RESUME] ⚡ Job pendente detectado em Flash!",
            "[RESUME] Retomando job 7 (item 3/4)",
            "[EXEC] Item 4/4: Frasco 4 por 1.000s",
            "[REPORT] ✓ Relatório enviado com sucesso!",
        ],
    )
    assert 5000 <= world.outputs.poured_ms[2] <= 5110, world.outputs.poured_ms
    assert [entry["item_ordem"] for entry in entries(world)] == [1, 2, 3, 4]


def test_report_fails_and_is_retried() -> None:
    world = World()
    world.backend.report_faults = ["500", "drop", "drop"]
    world.run_job(make_job(seconds=(0.5,)))
    assert_in_order(
        world.lines,
        [
            "[REPORT] ✗ Falha ao reportar: HTTP 500",
            "[REPORT] Mantendo job em Flash para retry posterior",
            "[LOOP] Tentando reportar job pendente...",
            "[REPORT] Enviando relatório do job 7",
            "[REPORT] ✗ Falha ao reportar: HTTP 0",
            "[LOOP] Tentando reportar job pendente...",
            "[REPORT] ✓ Relatório enviado com sucesso!",
        ],
    )
    assert 2 * 24_000 <= world.clock.now_ms <= 2 * 36_000 + 10_000


def test_report_waits_30_s_give_or_take_a_fifth() -> None:
    world = World()
    world.backend.report_faults = ["500"] * 20
    world.backend.queue.append(make_job(seconds=(0.2,)))
    moments = [_moment_of_fault(world, left) for left in range(19, -1, -1)]
    gaps = [moments[n + 1] - moments[n] for n in range(len(moments) - 1)]
    assert min(gaps) >= 24_000, gaps
    assert max(gaps) <= 36_500, gaps
    assert max(gaps) - min(gaps) > 3_000, "no jitter"


def _moment_of_fault(world: World, left: int) -> int:
    world.run(lambda: len(world.backend.report_faults) <= left)
    return world.clock.now_ms


def test_bad_items_fail_and_the_rest_goes_on() -> None:
    job = make_job(seconds=(0.5, 0.5, 200.0, 0.5))
    job["itens"][1]["frasco"] = 9
    job["itens"].append("nonsense")
    job["itens"].append({"frasco": 2, "segundos": -1})
    world = World()
    world.run_job(job)
    assert world.outputs.poured_ms == [500, 0, 0, 500]
    report = world.backend.reports[7]
    assert (report["itens_completados"], report["itens_falhados"]) == (2, 4)
    logs = report["execution_logs"]
    assert [entry["status"] for entry in logs] == ["done", "failed", "failed", "done", "failed", "failed"]
    assert all(entry["frasco"] in (1, 2, 3, 4) for entry in logs), "the backend would refuse the report"
    assert logs[1]["error"] == "frasco 9 inválido"
    assert "180s" in logs[2]["error"]


def test_a_payload_too_long_is_refused_whole() -> None:
    world = World()
    world.backend.raw_job = b'{"itens": [{"id": 20}], "id": 7, "filler": "' + b"x" * 4096 + b'"}'
    world.run(lambda: 7 in world.backend.reports, 60_000)
    assert world.outputs.poured_ms == [0] * 4
    assert world.backend.reports[7]["itens_falhados"] == 1
    assert "4096" in entries(world)[0]["error"]
    assert "[POLL] ✗ Job 7 recusado: job acima do limite de 4096 bytes" in world.lines


def test_a_payload_of_4096_bytes_is_poured() -> None:
    job = make_job(seconds=(0.2,) * 24)
    job["filler"] = ""
    job["filler"] = "x" * (4096 - len(json.dumps(job).encode()))
    world = World()
    world.run_job(job)
    assert world.backend.reports[7]["itens_completados"] == 24


def test_payloads_that_are_no_jobs_pour_nothing() -> None:
    for payload in (b"", b"{", b"[]", b"\xff\xfe", b'{"id": 3}', b'{"id": -1, "itens": [{}]}', b"[" * 3000):
        world = World()
        world.backend.raw_job = payload
        world.run_for(5000)
        assert world.outputs.openings == []
        assert world.idle


def test_a_finished_job_is_reported_again_and_not_poured_again() -> None:
    world = World()
    job = make_job(seconds=(0.5, 0.5))
    world.run_job(job)
    count = world.backend.report_count
    world.backend.reports.clear()  # a backend restored from a backup
    world.backend.queue.append(job)
    world.run(lambda: world.backend.report_count > count)
    assert world.outputs.poured_ms == [500, 500, 0, 0]
    assert [entry["status"] for entry in entries(world)] == ["done", "done"]


def test_the_same_id_in_a_new_database_is_another_job() -> None:
    world = World()
    world.run_job(make_job(seconds=(0.5,)))
    world.backend.reports.clear()
    world.run_job(make_job(seconds=(0.7,), created_at="2026-02-02T00:00:00"))
    assert world.outputs.poured_ms[0] == 1200


def test_a_lost_answer_to_the_report_takes_stock_once() -> None:
    world = World()
    world.backend.report_faults = ["lost", "half"]
    world.run_job(make_job(seconds=(0.5,)))
    assert world.outputs.poured_ms[0] == 500
    assert world.backend.report_count == 3


def test_a_report_refused_for_good_is_kept_aside() -> None:
    for status in ("403", "404", "422"):
        _refuse_for_good(status)


def _refuse_for_good(status: str) -> None:
    world = World()
    world.backend.report_faults = [status]
    world.backend.queue.append(make_job(seconds=(0.5,)))
    world.run(lambda: "job_state.rejected" in world.storage.files and world.idle)
    files = {name: data for name, data in world.storage.files.items() if name.startswith("job_state")}
    rejected = firmware("job_state").decode_rejected(files)
    assert rejected["rejected"]["status"] == int(status)
    assert rejected["done"] == 1
    world.backend.queue.clear()
    world.run_job(make_job(8, seconds=(0.5,)))
    assert world.outputs.poured_ms[0] == 1000


def test_401_keeps_the_job_and_claims_again() -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=(1.0,)))
    world.while_pouring(1, 500, lambda: setattr(world.backend, "token", "token-2"))
    world.run(lambda: "[REPORT] ✗ Falha ao reportar: HTTP 401" in world.lines)
    assert "job_state" in world.storage.files
    world.ask("set_settings", settings={"claim_code": claim_code()})
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert world.outputs.poured_ms[0] == 1000
    assert world.backend.claims == 1


def test_provisioned_from_nothing() -> None:
    world = World(ssid=None, password=None, backend_url=None, device_token=None)
    world.backend.queue.append(make_job(seconds=(0.5,)))
    world.run_for(2000)
    assert world.ask("status")["state"] == "config_portal"
    wanted = {"ssid": SSID, "password": PASSWORD, "backend_url": "http://b.test", "claim_code": claim_code()}
    world.ask("set_settings", settings=wanted)
    world.run(lambda: 7 in world.backend.reports)
    assert world.ask("status")["backend"]["claimed"]
    assert json.loads(world.storage.files["settings.json"])["claim_code"] is None


def claim_answered_with(fields: "dict[str, Any]") -> World:
    """A board whose claim was answered with 200 and these fields."""
    body = json.dumps(fields).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    world = World(device_token=None, claim_code=claim_code())
    world.backend.faults = [head.encode() + body]
    world.run(lambda: any("[CLAIM] ✓" in line or "[CLAIM] ✗" in line for line in world.lines))
    return world


def test_a_heartbeat_that_the_board_cannot_keep_is_kept_as_well_as_it_can() -> None:
    for asked, kept in ((7200, 3600), (0, 30), (None, 30), (-5, 1), ("x", 30), (45, 45)):
        world = claim_answered_with({"device_token": "token-1", "heartbeat_sec": asked})
        assert world.dispenser.parts.settings["heartbeat_sec"] == kept, asked
        assert world.dispenser.parts.backend.claimed


def test_a_claim_answered_with_nonsense_shows_no_token_and_spends_the_code() -> None:
    world = claim_answered_with({"device_token": "token-1", "device_id": ["odd"]})
    status = world.ask("status")
    assert status["backend"]["error"]
    assert not any("token-1" in line for line in world.lines)
    assert world.ask("get_settings")["settings"]["claim_code"] is False


def test_a_pending_claim_keeps_no_jar_and_no_report_waiting() -> None:
    world = World(claim_code=claim_code())
    world.backend.faults = ["500"]
    world.backend.queue.append(make_job(seconds=(0.5,)))
    world.run(lambda: 7 in world.backend.reports, 4_000)
    assert world.backend.claims == 0


def test_a_board_without_a_token_pours_and_reports_when_it_has_one() -> None:
    world = World(device_token=None, claim_code=claim_code())
    world.backend.faults = ["500", "500"]
    world.run(lambda: not world.backend.faults[1:])
    payload = json.dumps(make_job(seconds=(0.5,))).encode()
    world.dispenser.put_job(payload)
    world.run(lambda: world.outputs.poured_ms[0] == 500, 3_000)
    assert world.backend.claims == 0
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert [line for line in world.backend.requests if "complete" in line] == [
        "POST /devices/me/jobs/7/complete"
    ]


def test_a_claim_refused_says_so_and_keeps_what_was_there() -> None:
    world = World()
    world.run(lambda: world.backend.heartbeats > 0)
    world.ask("set_settings", settings={"claim_code": "999999"})
    world.run(lambda: "[CLAIM] ✗ Registro falhou: HTTP 400" in world.lines)
    world.run_job(make_job(seconds=(0.2,)))


def test_heartbeats_go_on_through_a_long_job() -> None:
    world = World()
    world.run_job(make_job(seconds=(100.0, 100.0, 100.0)))
    assert world.backend.heartbeats >= 3


def test_a_full_flash_pours_nothing() -> None:
    world = World()
    world.storage.full = True
    world.backend.queue.append(make_job())
    world.run_for(10_000)
    assert world.outputs.openings == []
    world.storage.full = False
    world.run(lambda: 7 in world.backend.reports)
    assert world.outputs.poured_ms == [1000] * 4


def test_a_damaged_state_is_no_boot_loop_and_its_results_count() -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=(1.0, 3.0)))
    world.while_pouring(2, 2000, world.mains.cut)
    while not world.cuts:
        world.step()
    damaged = bytearray(world.storage.files["job_state"])
    damaged[40] ^= 1
    world.storage.files["job_state"] = bytes(damaged)
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert any("ilegível" in line for line in world.lines)
    assert world.outputs.poured_ms[0] == 1000
    assert 3000 <= world.outputs.poured_ms[1] <= 4000


def test_garbage_in_every_file_is_survived() -> None:
    for name in (
        "job_state",
        "job_state.progress",
        "job_state.finished",
        "job_state.rejected",
        "settings.json",
    ):
        for data in (b"", b"\0" * 50, b"DJ\x01\x01", b"{}", b"\xff" * 4096):
            world = World()
            if name == "settings.json":
                world.storage.files[name] = data
                world.run_for(2000)
                assert world.ask("status")["ok"]
            else:
                world.storage.files[name] = data
                world.run_job(make_job(seconds=(0.2,)))
            assert world.resets == world.cuts == 0


def after_pouring(action: "Callable[[World], None]", **settings: "Any") -> World:
    """A board that something happened to when its jar was closed again and the motor still shook."""
    motor = {
        "vibration_intensity": 75,
        "pre_start_delay_ms": 0,
        "post_stop_delay_ms": 2000,
        "max_runtime_sec": 30,
    }
    world = World(**settings)
    world.backend.queue.append(make_job(seconds=(1.5,), motor_config=motor))
    world.while_pouring(1, 2500, lambda: action(world))
    world.run(lambda: 7 in world.backend.reports and world.idle)
    return world


def test_an_abort_after_the_pouring_comes_too_late() -> None:
    world = after_pouring(lambda world: world.serial.type_in(b'@dispctl {"id": 1, "op": "abort_job"}\n'))
    assert world.serial.answers()[0]["ok"]
    assert [entry["status"] for entry in entries(world)] == ["done"]


def test_a_reset_after_the_pouring_fails_nothing_and_asks_nothing() -> None:
    for on_interrupted in ("fail", "ask", "remainder"):
        world = after_pouring(lambda world: world.mains.reset(), on_interrupted=on_interrupted)
        assert world.resets == 1
        assert [entry["status"] for entry in entries(world)] == ["done"], on_interrupted
        assert world.outputs.poured_ms[0] == 1500


def test_a_power_cut_before_the_result_of_what_was_poured_fails_nothing() -> None:
    world = World(on_interrupted="fail")
    write = world.storage.write

    def cut_before_the_result(name: str, data: bytes) -> None:
        if world.outputs.poured_ms[0] == 1500 and name.startswith("job_state.progress") and not world.cuts:
            write(name, data)  # what was poured; the power goes before how the item ended
            world.mains.cut()
        write(name, data)

    world.storage.write = cut_before_the_result  # type: ignore[method-assign]
    world.run_job(make_job(seconds=(1.5,)))
    assert world.cuts == 1
    assert [entry["status"] for entry in entries(world)] == ["done"]


def test_on_interrupted_fail() -> None:
    world = World(on_interrupted="fail")
    world.backend.queue.append(make_job(seconds=(3.0, 0.5)))
    world.while_pouring(1, 1500, world.mains.reset)
    world.run(lambda: 7 in world.backend.reports)
    assert [entry["status"] for entry in entries(world)] == ["failed", "done"]
    assert world.outputs.poured_ms[0] < 3000


def test_on_interrupted_ask_waits_for_the_word() -> None:
    assert _poured_after_word("resume") >= 3000
    assert _poured_after_word("abort_job") < 1700


def _poured_after_word(word: str) -> int:
    world = World(on_interrupted="ask")
    world.backend.queue.append(make_job(seconds=(3.0,)))
    world.while_pouring(1, 1500, world.mains.reset)
    world.run(lambda: world.resets == 1)
    world.run_for(20_000)
    assert 7 not in world.backend.reports
    assert world.ask("status")["waiting"]
    world.ask(word)
    world.run(lambda: 7 in world.backend.reports)
    return world.outputs.poured_ms[0]


def test_resume_offline_pours_without_a_network() -> None:
    assert _poured_offline(resume_offline=True) >= 3000
    assert _poured_offline(resume_offline=False) < 1700


def _poured_offline(*, resume_offline: bool) -> int:
    world = World(resume_offline=resume_offline)
    world.backend.queue.append(make_job(seconds=(3.0,)))
    world.while_pouring(1, 1500, world.mains.reset)
    while not world.resets:
        world.step()
    world.radio.up = False
    world.run_for(20_000)
    poured_ms = world.outputs.poured_ms[0]
    world.radio.up = True
    world.run(lambda: 7 in world.backend.reports)
    return poured_ms


def test_the_motor_vibrates_around_the_pour() -> None:
    motor = {
        "vibration_intensity": 75,
        "pre_start_delay_ms": 500,
        "post_stop_delay_ms": 300,
        "max_runtime_sec": 30,
    }
    world = World()
    world.run_job(make_job(seconds=(1.0, 60.0), motor_config=motor))
    first, second = world.outputs.openings
    on, off = min(moment for moment, percent in world.outputs.vibrations if percent), first[2]
    assert first[1] - on >= 500
    assert world.outputs.poured_ms == [1000, 60_000, 0, 0]
    stops = [moment for moment, percent in world.outputs.vibrations if not percent]
    assert any(off + 300 <= stop <= off + 320 for stop in stops), (off, stops)
    assert any(29_000 <= stop - second[1] <= 30_100 for stop in stops), "runs longer than max_runtime_sec"


def test_fifty_jobs_in_a_row() -> None:
    world = World()
    for job_id in range(1, 51):
        world.run_job(make_job(job_id, seconds=(0.2, 0.2)))
    assert world.outputs.poured_ms == [10_000, 10_000, 0, 0]
    assert len(world.storage.files["job_state.finished"]) <= 128
    assert world.watchdog.starved_ms == 0


def test_intermittent_wifi_for_an_hour() -> None:
    world = World()
    moment_ms = 2000
    while moment_ms < 3_600_000:
        _switch_at(world, moment_ms)
        moment_ms += 2000 + moment_ms * 7919 % 18_000
    job_id = 0
    while world.clock.now_ms < 3_600_000:
        job_id += 1
        world.run_job(make_job(job_id, seconds=(20.0, 10.0, 30.0)), 3_600_000)
    assert job_id > 20
    assert world.outputs.poured_ms == [20_000 * job_id, 10_000 * job_id, 30_000 * job_id, 0]


def _switch_at(world: World, moment_ms: int) -> None:
    """The Wi-Fi goes off if it is on, and on if it is off."""
    world.clock.at(moment_ms, lambda: setattr(world.radio, "up", not world.radio.up))


def test_what_is_due_stays_due_and_time_goes_on_for_weeks() -> None:
    """Longer than the ticks need to wrap around, with nobody to ask for the time."""
    world = World(device_token=None)
    world.run_for(400_000)
    assert abs(world.ask("status")["uptime_ms"] - world.clock.now_ms) <= 400
    world.run_for(300_000)
    world.ask("set_settings", settings={"claim_code": claim_code()})
    world.run(lambda: b'"token-1"' in world.storage.files["settings.json"], 10_000)
    world.run_job(make_job(seconds=(0.5,)), 20_000)


def test_settings_that_do_not_fit_into_memory_stop_nothing() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    write = world.storage.write

    def refuse(name: str, data: bytes) -> None:
        if name == "settings.new":
            raise MemoryError
        write(name, data)

    world.storage.write = refuse  # type: ignore[method-assign]
    world.dispenser.parts.settings.merge({"resume_offline": True})
    world.run_job(make_job(seconds=(0.5,)))
    assert any("Configuração não salva: MemoryError" in line for line in world.lines)
    world.storage.write = write  # type: ignore[method-assign]
    world.run(lambda: b'"resume_offline": true' in world.storage.files["settings.json"], 10_000)


def test_a_job_after_one_that_was_cleared_is_not_called_resumed() -> None:
    world = World(device_token=None, claim_code=None)
    world.storage.files["job_state"] = firmware("job_state").encode_job(0, json.dumps(make_job()).encode())
    world.run_for(1000)
    assert world.ask("clear_job")["ok"]
    world.ask("set_settings", settings={"device_token": world.backend.token})
    world.run_job(make_job(8, seconds=(0.2,)))
    assert not any("[RESUME]" in line for line in world.lines)


def test_a_word_nested_deeply_is_no_failure() -> None:
    depth = 1750 if sys.implementation.name == "micropython" else 500  # that its JSON parser takes
    nested = "[" * depth + "]" * depth
    for key in ("tempero", "frasco", "quantidade_g"):
        world = World()
        job = json.dumps(make_job(seconds=(0.2, 0.3)))
        told = {"tempero": '"tempero": "Sal"', "frasco": '"frasco": 1', "quantidade_g": '"quantidade_g": 0.4'}
        assert told[key] in job
        world.backend.raw_job = job.replace(told[key], f'"{key}": {nested}', 1).encode()
        world.run(lambda world=world: 7 in world.backend.reports, 60_000)  # type: ignore[misc]
        world.backend.raw_job = None
        assert world.outputs.poured_ms[1] == 300, (key, world.lines)


def test_a_pin_that_moves_while_the_board_starts_is_warned_of() -> None:
    for actuator, pins in (
        ({"pins": [26, 5, 32, 2]}, "5, 2"),
        ({"kind": "servo", "motor_pin": 15}, "15"),
        ({"kind": "servo", "pins": [2, 4, 5, 13]}, ""),
        ({}, ""),
    ):
        world = World(actuator=actuator)
        world.run_for(1000)
        warned = [line for line in world.lines if "muda de nível" in line]
        assert [f"GPIO {pins} " in line for line in warned] == ([True] if pins else []), warned
