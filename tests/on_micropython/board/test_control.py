"""The cable: control lines answered in time whatever goes on, Ctrl-C, garbage, secrets, and every exit closed."""

from binascii import a2b_base64

from .world import PASSWORD, SSID, World, claim_code, firmware, make_job


def pouring_world(seconds: float = 5.0, **settings: object) -> World:
    """A board half a second into pouring jar 1."""
    world = World(**settings)
    world.backend.queue.append(make_job(seconds=(seconds, 0.5)))
    return world


def run_until_reported(world: World) -> None:
    """Run until job 7 is in the backend."""
    world.run(lambda: 7 in world.backend.reports)


def while_pouring(world: World, data: bytes, after_ms: int = 1000) -> None:
    """Put `data` on the line once the first jar has been open for `after_ms`."""
    world.while_pouring(1, after_ms, lambda: world.serial.type_in(data))


def test_status_while_pouring() -> None:
    world = pouring_world()
    while_pouring(world, b'@dispctl {"id": 5, "op": "status"}\n')
    world.run(lambda: 7 in world.backend.reports)
    answer = world.serial.answers()[0]
    assert (answer["id"], answer["ok"], answer["pouring"]) == (5, True, True)
    assert (answer["job"], answer["item"], answer["total"], answer["asked_ms"]) == (7, 1, 2, 5000)
    assert 900 <= answer["poured_ms"] <= 1100
    assert world.outputs.poured_ms[0] == 5000


def answer_time_ms(world: World, after_ms: int) -> int:
    """How long a request takes that comes when the first jar has been open for `after_ms`."""
    asked_ms: list[int] = []
    write = world.serial.write
    answered_ms: list[int] = []

    def note_and_write(data: bytes) -> None:
        write(data)
        if data.startswith(b"[CTL]"):
            answered_ms.append(world.clock.now_ms)

    def ask() -> None:
        asked_ms.append(world.clock.now_ms)
        world.serial.type_in(b'@dispctl {"id": 1, "op": "status"}\n')

    world.serial.write = note_and_write  # type: ignore[method-assign]
    world.while_pouring(1, after_ms, ask)
    world.run(lambda: 7 in world.backend.reports)
    return answered_ms[0] - asked_ms[0]


def test_every_request_is_answered_within_100_ms_of_pouring() -> None:
    for after_ms in range(0, 5000, 37):
        world = pouring_world()
        assert answer_time_ms(world, after_ms) <= 100, after_ms
        assert world.outputs.poured_ms[0] == 5000


def test_garbage_on_the_line_delays_no_closing() -> None:
    world = pouring_world()
    noise = bytes([n * 73 % 256 for n in range(4000)]).replace(b"\x03", b"\x04")
    while_pouring(world, noise * 3 + b'\n@dispctl {"id": 9, "op": "status"}\n', 4000)
    world.run(lambda: 7 in world.backend.reports)
    assert world.outputs.poured_ms[0] == 5000
    assert world.serial.answers()[-1]["id"] == 9


def test_answers_to_what_is_no_request() -> None:
    world = World()
    world.run_for(1000)
    for line, words in (
        (b"@dispctl {\n", "JSON"),
        (b"@dispctl []\n", "object"),
        (b'@dispctl {"op": "status"}\n', "id"),
        (b'@dispctl {"id": 1}\n', "op"),
        (b'@dispctl {"id": 1, "op": "explode"}\n', "unknown op"),
        (b'@dispctl {"id": 1, "op": "set_settings", "settings": {"colour": 1}}\n', "colour"),
        (b'@dispctl {"id": 1, "op": "set_settings", "settings": {"heartbeat_sec": "x"}}\n', "heartbeat_sec"),
        (b'@dispctl {"id": 1, "op": "job_state", "file": "settings.json"}\n', "job_state"),
        (b"@dispctl " + b"x" * 7000 + b"\n", "JSON"),
    ):
        before = len(world.serial.answers())
        world.serial.type_in(line)
        world.run_for(200)
        answer = world.serial.answers()[before]
        assert not answer["ok"]
        assert words in answer["error"], (line, answer)


def test_ctrl_c_while_pouring_is_refused_once() -> None:
    world = pouring_world()
    while_pouring(world, b"\r\x03")
    world.run(lambda: 7 in world.backend.reports)
    assert any("Ctrl-C recusado: frasco 1" in line for line in world.lines)
    assert world.outputs.poured_ms[0] == 5000


def test_a_second_ctrl_c_closes_saves_and_stops() -> None:
    world = pouring_world()
    while_pouring(world, b"\x03\x03")
    stopped = False
    try:
        world.run(lambda: 7 in world.backend.reports)
    except KeyboardInterrupt:
        stopped = True
    assert stopped
    assert world.lines[-1] == "[EXEC] ⚠ Parado por Ctrl-C: frasco fechado, progresso salvo."
    assert not world.outputs.any_open
    world.dispenser = None  # main.py is started again
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert 5000 <= world.outputs.poured_ms[0] <= 5100


def test_two_ctrl_c_three_seconds_apart_are_both_refused() -> None:
    world = pouring_world(8.0)
    while_pouring(world, b"\x03", 1000)
    while_pouring(world, b"\x03", 4000)
    world.run(lambda: 7 in world.backend.reports)
    assert len([line for line in world.lines if "Ctrl-C recusado" in line]) == 2
    assert world.outputs.poured_ms[0] == 8000


def test_abort_closes_at_once_and_reports_failed() -> None:
    world = pouring_world()
    while_pouring(world, b'@dispctl {"id": 1, "op": "abort_job"}\n')
    world.run(lambda: 7 in world.backend.reports)
    assert 1000 <= world.outputs.poured_ms[0] <= 1100
    assert world.outputs.poured_ms[1] == 0
    report = world.backend.reports[7]
    assert report["itens_falhados"] == 2
    assert "cancelado" in report["execution_logs"][0]["error"]
    world.run_job(make_job(8, seconds=(0.3,)))


def test_what_must_wait_is_refused_while_pouring() -> None:
    world = pouring_world()
    for op in ("clear_job", "scan", "reset", "resume"):
        while_pouring(world, b'@dispctl {"id": 1, "op": "%s"}\n' % op.encode())
    world.run(lambda: 7 in world.backend.reports)
    assert [answer["ok"] for answer in world.serial.answers()] == [False] * 4
    assert world.outputs.poured_ms[0] == 5000


def test_clear_job_forgets_everything_but_finished_ids() -> None:
    world = World()
    world.backend.report_faults = ["500"]
    world.backend.queue.append(make_job(seconds=(0.5,)))
    world.run(lambda: "[REPORT] Mantendo job em Flash para retry posterior" in world.lines)
    world.ask("clear_job")
    assert [name for name in world.storage.files if name.startswith("job_state")] == []
    world.run(lambda: 7 in world.backend.reports)
    assert world.outputs.poured_ms[0] == 1000, "handed out again and poured again, as clearing means"


def test_the_raw_state_in_chunks() -> None:
    world = World()
    world.backend.report_faults = ["500"] * 3
    world.backend.queue.append(make_job(seconds=(0.2,) * 20))
    world.run(lambda: "[REPORT] Mantendo job em Flash para retry posterior" in world.lines)
    overview = world.ask("job_state")
    assert overview["state"]["done"] == 20
    for name, size in overview["files"].items():
        data = b""
        while len(data) < size:
            data += a2b_base64(world.ask("job_state", file=name, offset=len(data))["data"])
        assert data == world.storage.files[name]


def test_no_answer_while_pouring_takes_longer_than_the_end_of_a_pour_can_wait() -> None:
    guard_ms = firmware("pour").SERVICE_GUARD_MS
    world = pouring_world(5.0)
    world.backend.queue[0]["filler"] = "x" * 3000
    for op in ("status", "job_state", "get_settings"):
        while_pouring(world, b'@dispctl {"id": 5, "op": "%s"}\n' % op.encode())
    for offset in (b"0", b"2000"):
        line = b'@dispctl {"id": 5, "op": "job_state", "file": "job_state", "offset": %s}\n' % offset
        while_pouring(world, line)
    world.run(lambda: 7 in world.backend.reports)
    lengths = [len(line.encode()) + 2 for line in world.lines if line.startswith("[CTL]")]
    assert len(lengths) == 5
    assert max(lengths) * 10_000 / 115_200 <= guard_ms, lengths


def test_secrets_leave_the_board_in_no_line() -> None:
    world = World(ssid="Old", password="old-secret-pw", debug_http=True)
    world.networks["Old"] = "old-secret-pw"
    world.run_job(make_job(seconds=(0.2,)))
    world.ask("set_settings", settings={"ssid": SSID, "password": PASSWORD, "claim_code": claim_code()})
    world.ask("set_settings", settings={"ca_pem": "-----BEGIN nothing secret but long"})
    world.run(lambda: world.backend.claims == 1)
    world.run_for(3000)
    world.ask("get_settings")
    world.ask("status")
    everything = "\n".join(world.lines)
    for secret in ("old-secret-pw", PASSWORD, world.backend.token, claim_code()):
        assert secret not in everything, secret
    assert world.ask("get_settings")["settings"]["password"] is True


def test_new_credentials_replace_the_old_only_when_they_join() -> None:
    world = World()
    world.networks["Sala"] = "certa"
    world.run(lambda: world.dispenser.state == "online")
    world.ask("set_settings", settings={"ssid": "Sala", "password": "errada"})
    world.run(lambda: world.ask("status")["wifi"]["failed_ssid"] == "Sala", 60_000)
    world.run(lambda: world.dispenser.state == "online", 60_000)
    status = world.ask("status")["wifi"]
    assert (status["ssid"], status["reason"]) == (SSID, "wrong_password")
    world.ask("set_settings", settings={"ssid": "Sala", "password": "certa"})
    world.run(lambda: b"Sala" in world.storage.files["settings.json"], 60_000)
    world.run_job(make_job(seconds=(0.2,)))


def test_a_new_password_alone_replaces_the_working_one_only_when_it_joins() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    world.ask("set_settings", settings={"password": "errada"})
    world.run(lambda: world.ask("status")["wifi"]["failed_ssid"] == SSID, 60_000)
    assert PASSWORD.encode() in world.storage.files["settings.json"]
    world.run(lambda: world.dispenser.state == "online", 60_000)
    world.networks[SSID] = "nova"
    world.ask("set_settings", settings={"password": "nova"})
    world.run(lambda: b"nova" in world.storage.files["settings.json"], 60_000)
    world.run_job(make_job(seconds=(0.2,)))


def test_settings_that_were_not_saved_are_not_answered_ok() -> None:
    world = World()
    world.run_for(1000)
    world.storage.full = True
    answer = world.ask("set_settings", settings={"resume_offline": True})
    assert not answer["ok"]
    assert "flash" in answer["error"]
    world.run_for(20_000)
    assert 1 <= len([line for line in world.lines if "Configuração não salva" in line]) <= 6
    world.storage.full = False
    world.run(lambda: b'"resume_offline": true' in world.storage.files["settings.json"], 10_000)


def test_an_address_must_not_write_lines_of_a_request() -> None:
    world = World()
    world.run_for(1000)
    for url in ("http://host\r\nX: y", "http://host\tx", "http://h\x00", "http://hóst", "http://a b"):
        assert not world.ask("set_settings", settings={"backend_url": url})["ok"], url


def test_clearing_waits_for_the_answer_to_a_report() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    answer = world.dispenser.parts.backend.complete

    def clear_then_answer(state: object) -> object:
        world.serial.type_in(b'@dispctl {"id": 1, "op": "clear_job"}\n')
        world.dispenser.parts.idle.wait_ms(10)
        return answer(state)

    world.dispenser.parts.backend.complete = clear_then_answer
    world.run_job(make_job(seconds=(0.2,)))
    refused = world.serial.answers()[0]
    assert (refused["ok"], "report" in refused["error"]) == (False, True)
    assert world.ask("clear_job")["ok"]


def test_settings_changed_while_pouring_are_saved_after() -> None:
    world = pouring_world()
    line = b'@dispctl {"id": 1, "op": "set_settings", "settings": {"ssid": "Sala", "password": "certa"}}\n'
    while_pouring(world, line)
    world.networks["Sala"] = "certa"
    world.run(lambda: 7 in world.backend.reports and b"Sala" in world.storage.files["settings.json"], 120_000)
    assert world.outputs.poured_ms[0] == 5000


def test_a_token_is_told_to_no_other_backend() -> None:
    world = World()
    world.run(lambda: world.backend.heartbeats > 0)
    world.ask("set_settings", settings={"backend_url": "http://elsewhere.test"})
    assert world.ask("get_settings")["settings"]["device_token"] is False


def test_an_actuator_that_does_not_answer_fails_its_items() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    world.outputs.broken = True
    world.backend.queue.append(make_job(seconds=(0.5, 0.5)))
    world.run(lambda: 7 in world.backend.reports)
    errors = [entry["error"] for entry in world.backend.reports[7]["execution_logs"]]
    assert all("atuador" in error for error in errors), errors
    world.outputs.broken = False
    world.run_job(make_job(8, seconds=(0.5,)))


def unclosed_world(failures: int, **settings: object) -> World:
    """A servo board whose bus fails so many times from when jar 1 has been open for half a second."""
    world = World(**settings)
    world.outputs.keeps_pulses = True
    world.backend.queue.append(make_job(seconds=(1.0, 0.5)))
    world.while_pouring(1, 500, lambda: setattr(world.outputs, "failures", failures))
    return world


def test_a_jar_that_does_not_close_is_closed_when_the_bus_is_back_and_no_other_is_opened_before() -> None:
    world = unclosed_world(12)
    world.while_pouring(1, 1600, lambda: world.serial.type_in(b'@dispctl {"id": 5, "op": "status"}\n'))
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert world.serial.answers()[0]["unclosed"]
    assert not world.ask("status")["unclosed"]
    first, second = world.backend.reports[7]["execution_logs"]
    assert (first["status"], second["status"]) == ("failed", "done")
    assert 2000 < world.outputs.poured_ms[0] < 4000
    assert abs(first["real_s"] * 1000 - world.outputs.poured_ms[0]) <= 150
    assert world.outputs.poured_ms[1] == 500
    assert world.outputs.renewals > 1
    assert world.resets == 0
    assert len([line for line in world.lines if "frascos podem estar abertos" in line]) == 1
    assert any("Frascos fechados após" in line for line in world.lines)


def test_a_jar_that_stays_open_is_worth_one_reset_and_is_tried_on_at_boot() -> None:
    world = unclosed_world(1_000_000, resume_offline=True)
    world.run(lambda: world.resets == 1, 20_000)
    world.run(lambda: "atuador" in str(world.backend.reports.get(7)), 60_000)
    assert [entry["status"] for entry in world.backend.reports[7]["execution_logs"]] == ["failed", "failed"]
    assert world.outputs.is_open(1)
    assert world.ask("status")["unclosed"]
    world.outputs.failures = 0
    world.run(lambda: not world.outputs.any_open, 6_000)
    world.run_job(make_job(8, seconds=(0.5,)))
    assert world.resets == 1
    assert world.watchdog.starved_ms == 0


def test_a_reset_is_not_refused_while_a_jar_does_not_close() -> None:
    world = unclosed_world(1_000_000)
    world.while_pouring(1, 2500, lambda: world.serial.type_in(b'@dispctl {"id": 5, "op": "reset"}\n'))
    world.run(lambda: world.resets == 1, 5_000)
    assert world.serial.answers()[0]["ok"]


def test_an_exception_anywhere_in_a_pour_closes_and_goes_on() -> None:
    for failure in (ValueError("x"), MemoryError(), KeyError("y")):
        world = World()
        world.outputs.fail_next_open = failure
        world.run_job(make_job(seconds=(0.5, 0.5)))
        assert [entry["status"] for entry in world.backend.reports[7]["execution_logs"]] == ["failed", "done"]
        assert world.outputs.poured_ms == [0, 500, 0, 0]


def test_what_fails_while_the_cable_is_served_fails_no_item() -> None:
    world = pouring_world()
    line = b'@dispctl {"id": 1, "op": "job_state", "file": "job_state", "offset": 1%s}\n' % (b"0" * 30)
    while_pouring(world, line, 1000)
    while_pouring(world, b'@dispctl {"id": 2, "op": "status"}\n', 2000)

    def fail() -> None:
        raise MemoryError

    world.while_pouring(1, 1500, lambda: setattr(world.dispenser, "status", fail))
    world.run(lambda: 7 in world.backend.reports)
    assert [(answer["id"], answer["ok"]) for answer in world.serial.answers()] == [(1, False), (2, False)]
    assert "offset" in world.serial.answers()[0]["error"]
    assert world.backend.reports[7]["itens_completados"] == 2
    assert world.outputs.poured_ms[0] == 5000


def test_a_task_or_a_frame_that_fails_fails_no_item() -> None:
    for failure in (OSError(5), MemoryError(), OverflowError("long int")):
        world = pouring_world()

        def fail(*_arguments: object, failure: Exception = failure) -> None:
            raise failure

        world.step()
        world.dispenser.parts.idle.tasks.append(fail)
        world.dispenser.parts.console.on_line = fail
        while_pouring(world, b"anything\n")
        run_until_reported(world)
        assert world.backend.reports[7]["itens_completados"] == 2
        assert world.outputs.poured_ms[0] == 5000
        assert any("[ERRO] Falha durante a espera" in line for line in world.lines)


def test_reset_answers_then_restarts() -> None:
    world = World()
    world.run_for(1000)
    assert world.ask("reset")["ok"]
    world.run(lambda: world.resets == 1, 5000)


def test_a_long_ca_comes_in_pieces() -> None:
    world = World()
    world.run_for(1000)
    world.ask("set_settings", settings={"ca_pem": "abc"})
    world.ask("set_settings", settings={"ca_pem": {"append": "def"}})
    assert b'"abcdef"' in world.storage.files["settings.json"]


def test_a_starved_watchdog_means_work_that_does_not_get_on() -> None:
    world = World()
    world.run_for(60_000)
    assert world.watchdog.starved_ms == 0
    world.dispenser.parts.watchdog.allow(1000)
    world.dispenser.parts.idle.wait_ms(60_000)
    world.dispenser.parts.watchdog.allow(1000)
    assert world.watchdog.starved_ms > 20_000
