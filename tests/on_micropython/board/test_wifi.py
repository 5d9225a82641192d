"""Joining a Wi-Fi that does not behave: searches that miss it, a driver that raises, a scan at a bad moment."""

from .world import SSID, World, make_job

OTHER, PASSWORD = "Sala", "certa123"


def joined_world() -> World:
    """A board that is online, with another network in reach."""
    world = World()
    world.networks[OTHER] = PASSWORD
    world.run(lambda: world.dispenser.state == "online" and world.backend.heartbeats > 0)
    return world


def settle_new(world: World) -> "str | None":
    """Give it the other network, and wait until it is that one's or has gone back; why it has."""
    world.ask("set_settings", settings={"ssid": OTHER, "password": PASSWORD})
    world.run(lambda: not world.dispenser.parts.wifi.trying_new, 60_000)
    world.run(lambda: bool(world.dispenser.parts.wifi.joined), 60_000)
    wifi = world.ask("status")["wifi"]
    assert wifi["ssid"] == (SSID if wifi["failed_ssid"] else OTHER)
    return str(wifi["reason"]) if wifi["failed_ssid"] else None


def test_one_search_that_misses_a_network_costs_no_new_credentials() -> None:
    for miss in ("no_such_network", "wrong_password", "failed"):
        world = joined_world()
        world.radio.misses = [miss]
        assert settle_new(world) is None, miss


def test_what_is_turned_down_twice_is_not_right() -> None:
    for miss in ("no_such_network", "wrong_password", "failed"):
        world = joined_world()
        world.radio.misses = [miss, miss]
        assert settle_new(world) == miss


def test_the_reason_of_the_try_before_condemns_no_new_credentials() -> None:
    world = World(ssid="Longe", password="12345678")
    world.networks[OTHER] = PASSWORD
    world.run(lambda: world.radio.tries > 2, 60_000)
    tries, world.radio.join_ms = world.radio.tries, 2_000
    assert settle_new(world) is None
    assert world.radio.tries == tries + 1, "it was given up while the radio still searched"


def test_a_driver_that_raises_is_tried_again() -> None:
    for failure in (OSError("Wifi Internal Error"), RuntimeError("Wifi Unknown Error 0x3006")):
        world = World()
        world.radio.failure = failure
        world.run_for(20_000)
        tried = [line for line in world.lines if line.startswith(f"[WIFI] ✗ Sem conexão com {SSID}: Wifi")]
        assert 2 < len(tried) < 10, world.lines
        assert not [line for line in world.lines if line.startswith("[ERRO]")], world.lines
        world.radio.failure = None
        world.run_job(make_job(seconds=(0.5,)), 60_000)


def test_a_driver_that_cannot_leave_stops_nothing() -> None:
    world = joined_world()
    world.radio.failure = RuntimeError("Wifi Not Started")
    world.ask("set_settings", settings={"ssid": OTHER, "password": PASSWORD})
    world.run_for(10_000)
    world.radio.failure = None
    world.run(lambda: world.dispenser.state == "online", 60_000)
    assert not [line for line in world.lines if line.startswith("[ERRO]")], world.lines


def test_a_scan_hears_the_networks_while_the_board_tries_to_join() -> None:
    for moment_ms in (0, 500, 1_500, 3_000, 6_000):
        world = World(ssid="Longe", password="12345678")
        world.run(lambda w=world: w.radio.tries == 1, 60_000)  # type: ignore[misc]
        world.run_for(moment_ms)
        found = world.ask("scan")["networks"]
        assert [network["ssid"] for network in found] == [SSID], moment_ms
        tries = world.radio.tries
        world.run(lambda w=world, t=tries: w.radio.tries > t, 60_000)  # type: ignore[misc]


def test_a_scan_takes_no_board_off_its_network() -> None:
    world = joined_world()
    tries = world.radio.tries
    assert len(world.ask("scan")["networks"]) == 2
    assert world.radio.joined()
    assert world.radio.tries == tries


def test_a_scan_by_new_credentials_delays_them_and_no_more() -> None:
    world = joined_world()
    world.ask("set_settings", settings={"ssid": OTHER, "password": PASSWORD})
    world.run(lambda: world.radio.tries == 2, 60_000)
    world.ask("scan")
    world.run(lambda: world.dispenser.parts.settings["ssid"] == OTHER, 60_000)


def test_a_scan_that_fails_is_an_answer() -> None:
    for failure in (OSError("Wifi Internal Error"), RuntimeError("Wifi Unknown Error 0x3006")):
        world = joined_world()
        world.radio.failure = failure
        answer = world.ask("scan")
        assert not answer["ok"]
        assert "radio: Wifi" in answer["error"], answer


def test_no_connection_outlives_the_network() -> None:
    world = joined_world()
    assert world.backend.connections == 1
    world.radio.up = False
    world.run(lambda: world.dispenser.state == "wifi_connect", 10_000)
    world.radio.up = True
    world.run_job(make_job(seconds=(0.5,)), 60_000)
    assert world.backend.connections == 2
