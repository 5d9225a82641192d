"""The clock that certificates are checked against: who may set it, what is kept of it, and what the board does without."""

from .fakes import YEAR_2000
from .world import World, claim_code, firmware, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOW, DATE = 1_795_613_109, "Wed, 25 Nov 2026 13:25:09 GMT"
DAY_S = 86_400
LONG_AGO = NOW - 200 * DAY_S
VALID = (NOW - DAY_S, NOW + 90 * DAY_S)
UNTIMELY = "Certificado fora da validade em 2026-01-01"


def secure_world(kept: "int | None" = None, **settings: "Any") -> World:
    """A board that was just powered on, with a backend at an `https` address whose certificate is a day old."""
    world = World(backend_url="https://backend.test", ca_pem="the right one", **settings)
    world.backend.valid, world.backend.date = VALID, DATE
    if kept is not None:
        world.storage.files["clock"] = str(kept).encode()
    return world


def works(world: World, limit_ms: int = 120_000) -> None:
    """Run until a job has been poured and reported."""
    world.run_job(make_job(seconds=(0.5,)), limit_ms)
    world.run_for(100)


def kept(world: World) -> int:
    """The moment on flash."""
    return int(world.storage.files["clock"])


def told(world: World, words: str) -> int:
    """How often the log says so."""
    return len([line for line in world.lines if words in line])


def test_a_board_that_was_told_the_time_begins_with_it() -> None:
    world = secure_world(kept=NOW)
    works(world)
    assert told(world, "Certificados TLS: valem os de 2026-11-25") == 1
    assert told(world, "fora da validade") == 0


def test_without_the_time_the_backend_is_asked_and_not_trusted() -> None:
    world = secure_world()
    works(world)
    assert told(world, UNTIMELY) == 1
    assert [path for path in world.backend.requests if path == "GET /"] == ["GET /"]
    assert kept(world) >= NOW, "once its certificate was checked it is believed"


def test_a_claim_works_from_power_on() -> None:
    world = secure_world(device_token=None, claim_code=claim_code())
    works(world)
    assert world.backend.claims == 1


def test_the_time_survives_a_power_cut() -> None:
    world = secure_world()
    works(world)
    world.clock.after(10, world.mains.cut)
    world.run(lambda: world.cuts == 1)
    asked = world.backend.requests.count("GET /")
    world.run_job(make_job(8, seconds=(0.5,)), 60_000)
    assert world.backend.requests.count("GET /") == asked


def test_a_liar_does_not_bring_an_ended_certificate_back() -> None:
    world = secure_world(kept=NOW)
    world.backend.valid = (LONG_AGO, NOW - DAY_S)
    world.backend.date = "Wed, 11 Nov 2026 13:25:09 GMT"
    world.run_for(200_000)
    assert world.backend.heartbeats == 0
    assert world.calendar.utc() >= NOW
    assert told(world, "a hora não é conhecida") > 0


def test_a_liar_is_forgotten_with_the_next_start() -> None:
    world = secure_world()
    world.backend.date = "Sat, 25 Nov 2056 13:25:09 GMT"
    world.run_for(30_000)
    assert world.backend.heartbeats == 0
    assert "clock" not in world.storage.files
    world.backend.date = DATE
    works(world)  # also without a new start: it is asked again
    world.clock.after(10, world.mains.cut)
    world.run(lambda: world.cuts == 1)
    world.run_job(make_job(8, seconds=(0.5,)), 60_000)


def test_the_cable_sets_the_time_and_mends_it() -> None:
    world = secure_world(kept=NOW + 400 * DAY_S)
    world.run_for(30_000)
    assert world.backend.heartbeats == 0
    world.ask("status", utc=NOW)
    works(world)
    assert kept(world) == NOW


def test_a_time_that_cannot_be_meant_is_ignored() -> None:
    world = secure_world(kept=NOW)
    world.run_for(1_000)
    for utc in (0, -1, YEAR_2000, 1 << 40, "now", None, True, 1.5, [NOW]):
        assert world.ask("status", utc=utc)["ok"], utc
    works(world)
    assert kept(world) == NOW
    for saved in (b"", b"x", b"12", b"9" * 30, b"\xff"):
        world = secure_world()
        world.storage.files["clock"] = saved
        works(world)


def test_the_flash_is_written_once_a_day() -> None:
    world = secure_world(kept=NOW)
    writes: list[str] = []
    write = world.storage.write

    def note(name: str, data: bytes) -> None:
        writes.append(name)
        write(name, data)

    world.storage.write = note  # type: ignore[method-assign]
    for hour in range(30):
        world.ask("status", utc=NOW + hour * 60)
        world.run_for(60_000)
    assert writes.count("clock") == 0, "half an hour is no news"
    world.ask("status", utc=NOW + 2 * DAY_S)
    world.run_for(60_000)
    assert writes.count("clock") == 1


def test_the_flash_is_not_written_while_a_jar_is_open() -> None:
    world = secure_world(kept=LONG_AGO)
    world.calendar.set_utc(NOW)
    moments: list[bool] = []
    write = world.storage.write

    def note(name: str, data: bytes) -> None:
        if name == "clock":
            moments.append(any(world.outputs.is_open(jar) for jar in (1, 2, 3, 4)))
        write(name, data)

    world.storage.write = note  # type: ignore[method-assign]
    line = b'@dispctl {"id": 1, "op": "status", "utc": %d}\n' % (NOW + 3 * DAY_S)
    world.while_pouring(1, 300, lambda: world.serial.type_in(line))
    world.run_job(make_job(seconds=(1.0, 0.5)), 120_000)
    world.run_for(100)
    assert moments
    assert not any(moments)


def test_a_flash_that_refuses_stops_nothing() -> None:
    world = secure_world()
    write = world.storage.write

    def refuse(name: str, data: bytes) -> None:
        if name == "clock":
            raise OSError(28)
        write(name, data)

    world.storage.write = refuse  # type: ignore[method-assign]
    works(world)
    assert told(world, "Hora não salva") == 1


def test_without_https_nobody_asks_for_the_time() -> None:
    for settings in ({}, {"backend_url": "https://backend.test", "tls_insecure": True}):
        world = World(**settings)
        world.backend.date = DATE
        works(world)
        assert "GET /" not in world.backend.requests
        assert "clock" not in world.storage.files
        assert told(world, "Certificados TLS: valem") == 0


def test_a_date_that_came_unchecked_stays_unchecked() -> None:
    world = World(ca_pem="the right one")
    world.backend.valid, world.backend.date = VALID, "Sat, 25 Nov 2056 13:25:09 GMT"
    learned: list[str] = []
    world.run(lambda: world.backend.heartbeats > 0)
    parts = world.dispenser.parts
    parts.certificate_clock.set_by_checked = learned.append
    answer = world.backend.answer

    def move(method: str, path: str, headers: "dict[str, str]", body: bytes) -> "tuple[int, bytes]":
        parts.settings.merge({"backend_url": "https://backend.test"})
        return answer(method, path, headers, body)

    world.backend.answer = move  # type: ignore[method-assign]
    requests = len(world.backend.requests)
    world.run(lambda: len(world.backend.requests) > requests)
    assert learned == []


def test_http_dates() -> None:
    module = firmware("certificate_clock")
    for date, utc in (
        (DATE, NOW),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2028 23:59:59 GMT", 1_835_481_599),
        ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ("Sun Nov  6 08:49:37 1994", 0),
        ("", 0),
        ("Wed, 25 Nov 2026 13:25 GMT", 0),
        ("Wed, xx Nov 2026 13:25:09 GMT", 0),
        ("Wed, 25 Foo 2026 13:25:09 GMT", 0),
    ):
        assert module.utc_of(date) == utc, date


def test_the_day_of_every_day() -> None:
    module = firmware("certificate_clock")
    world = secure_world()
    clock = module.CertificateClock(world.calendar, world.storage, world.clock)
    for utc, day in (
        (NOW, "2026-11-25"),
        (NOW // DAY_S * DAY_S - 1, "2026-11-24"),
        (1_830_297_600, "2028-01-01"),
    ):
        world.calendar.set_utc(utc)
        assert clock.date() == day
    for days in range(20_000, 32_000, 7):
        year, month, day_of_month = module._civil(days)
        assert module._days(year, month, day_of_month) == days
