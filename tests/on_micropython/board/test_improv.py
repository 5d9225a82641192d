"""Improv Serial on the board: every command, whatever else goes on, and a cable that mangles."""

from .world import PASSWORD, SSID, World, firmware, make_job

improv = firmware("improv")


def ask(world: World, command: int, data: bytes = b"", within_ms: int = 1500) -> "list[tuple[int, bytes]]":
    """The frames (type, data) that the board sends within the time that clients give."""
    before = len(world.serial.frames)
    world.serial.type_in(
        improv.format_request(command, data)[1:]
    )  # the JavaScript client sends no leading line end
    world.run_for(within_ms)
    return [parsed(frame) for frame in world.serial.frames[before:]]


def parsed(frame: bytes) -> "tuple[int, bytes]":
    """A frame taken apart; it stands on a line of its own."""
    assert frame.startswith(b"\n" + improv.HEADER), frame
    assert frame.endswith(b"\n")
    reader = improv.FrameReader()
    taken = [reader.take(byte) for byte in frame[1 + len(improv.HEADER) : -1]]
    assert taken[:-1] == [None] * (len(taken) - 1)
    assert taken[-1] is not None
    assert len(taken[-1][1]) != 10, "the JavaScript client takes this length for a line end"
    return taken[-1]


def result(frames: "list[tuple[int, bytes]]", command: int) -> "list[list[str]]":
    """The texts of every result to `command`."""
    taken = [improv.parse_command(data) for kind, data in frames if kind == improv.RPC_RESULT]
    assert {number for number, _ in taken} <= {command}
    return [improv.parse_texts(data) for _, data in taken]


def wifi(ssid: str, password: str) -> bytes:
    """The data of the command that sends credentials."""
    packed: bytes = improv.pack_texts([ssid, password])
    return packed


def unprovisioned() -> World:
    """A board that has no network yet."""
    world = World(ssid=None, password=None, device_token=None)
    world.run_for(500)
    return world


def test_state_and_info() -> None:
    world = unprovisioned()
    assert ask(world, improv.GET_STATE) == [(improv.ERROR_STATE, b"\x00"), (improv.CURRENT_STATE, b"\x02")]
    assert result(ask(world, improv.GET_INFO), improv.GET_INFO) == [
        ["dispctl", "0.1.0", "ESP32", "esp-24a160aabbcc"]
    ]


def test_a_provisioned_board_says_so_and_where_to_go_next() -> None:
    world = World()
    world.run(lambda: world.dispenser.state == "online")
    frames = ask(world, improv.GET_STATE)
    assert frames[1] == (improv.CURRENT_STATE, b"\x04")
    assert result(frames, improv.GET_STATE) == [["http://backend.test:8000"]]
    assert result(ask(world, improv.GET_NETWORK_STATE), improv.GET_NETWORK_STATE)[0][0] == "3"


def test_a_scan_that_fails_is_answered() -> None:
    world = unprovisioned()

    def fail() -> None:
        raise OSError(5)

    world.radio.scan = fail  # type: ignore[assignment]
    assert ask(world, improv.SCAN)[-1] == (improv.ERROR_STATE, bytes((improv.UNKNOWN_ERROR,)))
    assert not any("[ERRO]" in line for line in world.lines)


def test_a_scan_names_each_network_once_and_ends_with_nothing() -> None:
    world = unprovisioned()
    world.networks["Sala"] = "x"
    world.networks[""] = "hidden"
    named = result(ask(world, improv.SCAN), improv.SCAN)
    assert named == [[SSID, "-50", "YES"], ["Sala", "-50", "YES"], []]


def test_right_credentials_join_and_are_kept() -> None:
    world = unprovisioned()
    frames = ask(world, improv.SEND_WIFI, wifi(SSID, PASSWORD), 5000)
    states = [data for kind, data in frames if kind == improv.CURRENT_STATE]
    assert states == [b"\x03", b"\x04"]
    assert result(frames, improv.SEND_WIFI) == [["http://backend.test:8000"]]
    world.run(lambda: SSID.encode() in world.storage.files["settings.json"], 5000)


def test_wrong_ones_are_told_and_the_old_stay() -> None:
    world = World()
    world.networks["Sala"] = "certa-certa"
    world.run(lambda: world.dispenser.state == "online")
    frames = ask(world, improv.SEND_WIFI, wifi("Sala", "errada-errada"), 15_000)
    assert frames[-2:] == [(improv.ERROR_STATE, b"\x03"), (improv.CURRENT_STATE, b"\x02")]
    world.run(lambda: world.dispenser.state == "online")
    assert SSID.encode() in world.storage.files["settings.json"]
    assert ask(world, improv.GET_STATE)[1] == (improv.CURRENT_STATE, b"\x04")


def answers_while_pouring(command: int) -> int:
    """How many frames come within 200 ms of a command that comes while a jar is open; the dose is not changed."""
    world = World()
    world.backend.queue.append(make_job(seconds=(5.0,)))
    heard: list[int] = []

    def send() -> None:
        heard.append(len(world.serial.frames))
        world.serial.type_in(improv.format_request(command))
        world.clock.after(200, lambda: heard.append(len(world.serial.frames)))

    world.while_pouring(1, 1000, send)
    world.run(lambda: 7 in world.backend.reports, 60_000)
    assert world.outputs.poured_ms[0] == 5000
    return heard[1] - heard[0]


def test_every_command_is_answered_while_a_jar_is_open() -> None:
    for command in (improv.GET_STATE, improv.GET_INFO, improv.SCAN, improv.GET_NETWORK_STATE, 5):
        assert answers_while_pouring(command) > 0, command


def test_credentials_sent_while_pouring_are_tried_after_it() -> None:
    world = World()
    world.networks["Sala"] = "certa-certa"
    world.backend.queue.append(make_job(seconds=(5.0,)))
    frame = improv.format_request(improv.SEND_WIFI, wifi("Sala", "certa-certa"))
    world.while_pouring(1, 1000, lambda: world.serial.type_in(frame))
    joined = (improv.CURRENT_STATE, b"\x04")
    world.run(lambda: joined in [parsed(frame) for frame in world.serial.frames], 60_000)
    world.run_for(500)
    assert b"Sala" in world.storage.files["settings.json"]
    assert world.outputs.poured_ms[0] == 5000


def test_a_join_that_takes_longer_than_a_client_waits_is_told_as_failed_in_time() -> None:
    world = World()
    world.networks["Sala"] = "certa-certa"
    world.backend.queue.append(make_job(seconds=(60.0,)))
    frame = improv.format_request(improv.SEND_WIFI, wifi("Sala", "certa-certa"))
    world.while_pouring(1, 1000, lambda: world.serial.type_in(frame))
    world.run(lambda: b"Sala" in world.storage.files["settings.json"], 120_000)
    answers = [parsed(frame) for frame in world.serial.frames]
    assert answers[-2:] == [(improv.ERROR_STATE, b"\x03"), (improv.CURRENT_STATE, b"\x02")]


def test_what_is_no_command_is_said_to_be_none() -> None:
    world = unprovisioned()
    assert ask(world, 0x55)[-1] == (improv.ERROR_STATE, b"\x02")
    assert ask(world, improv.SEND_WIFI, b"\x05ab")[-1] == (improv.ERROR_STATE, b"\x01")
    assert ask(world, improv.SEND_WIFI, wifi("", "x"))[-1] == (improv.ERROR_STATE, b"\x01")
    assert ask(world, improv.SEND_WIFI, b"\x02\xff\xfe\x00")[-1] == (improv.ERROR_STATE, b"\x01")
    damaged = bytearray(improv.format_request(improv.GET_STATE))
    damaged[9] ^= 1
    before = len(world.serial.frames)
    world.serial.type_in(bytes(damaged))
    world.run_for(1000)
    assert parsed(world.serial.frames[before]) == (improv.ERROR_STATE, b"\x01")


def test_byte_3_is_data_inside_a_frame_and_ctrl_c_outside() -> None:
    world = unprovisioned()
    assert len(ask(world, 3, b"\x03\x03\x03")) == 2
    world.serial.type_in(b"IMPROV\x03")
    stopped = False
    try:
        world.run_for(1000)
    except KeyboardInterrupt:
        stopped = True
    assert stopped


def test_a_frame_without_its_end_does_not_swallow_ctrl_c() -> None:
    world = unprovisioned()
    world.serial.type_in(improv.format_request(improv.GET_STATE)[1:10])
    world.run_for(1000)
    stopped = False
    try:
        world.serial.type_in(b"\x03")
        world.run_for(500)
    except KeyboardInterrupt:
        stopped = True
    assert stopped


def test_a_half_line_before_a_frame_and_control_lines_around_it_do_no_harm() -> None:
    world = unprovisioned()
    world.serial.type_in(b"half a li")
    assert len(ask(world, improv.GET_STATE)) == 2
    assert world.ask("status")["ok"]
    world.serial.type_in(b'@dispctl {"id": 1, "op": "sta')
    world.serial.type_in(improv.format_request(improv.GET_STATE))
    assert world.ask("status")["ok"]


def test_a_password_is_in_no_line() -> None:
    world = unprovisioned()
    ask(world, improv.SEND_WIFI, wifi(SSID, PASSWORD), 5000)
    assert PASSWORD not in "\n".join(world.lines)
    assert not [data for data in world.serial.writes if PASSWORD.encode() in data]
