"""The PCA9685 as a driver programs it; register numbers from its data sheet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.servo_driver import ServoDriver

AWAKE = bytes([0x00, 0x20])  # MODE1: auto-increment, not asleep
PRESCALE_50_HZ = bytes([0xFE, 121])


def pulse(channel: int, width_us: float) -> bytes:
    """A write that makes `channel` pulse so wide at 50 Hz."""
    steps = round(width_us * 4096 / 20000)
    return bytes([0x06 + 4 * channel, 0, 0, steps & 0xFF, steps >> 8])


def started() -> tuple[ServoDriver, list[tuple[int, int]]]:
    """A driver at 50 Hz, awake, and the list of the pulses it reports."""
    pulses: list[tuple[int, int]] = []
    driver = ServoDriver(lambda channel, width_us: pulses.append((channel, width_us)))
    driver.write(PRESCALE_50_HZ)
    driver.write(AWAKE)
    return driver, pulses


def test_a_servo_is_told_its_pulse_in_microseconds() -> None:
    driver, pulses = started()
    driver.write(pulse(2, 2000))
    driver.write(pulse(2, 1000))
    assert [channel for channel, _ in pulses] == [2, 2]
    assert abs(pulses[0][1] - 2000) <= 5
    assert abs(pulses[1][1] - 1000) <= 5


def test_full_off_and_sleep_end_the_pulses() -> None:
    driver, pulses = started()
    driver.write(pulse(0, 1500))
    driver.write(bytes([0x09, 0x10]))
    assert pulses[-1] == (0, 0)
    driver.write(pulse(0, 1500))
    driver.write(bytes([0x00, 0x30]))
    assert pulses[-1] == (0, 0)
    assert driver.pulse_us(0) == 0


def test_all_channels_at_once() -> None:
    driver, _ = started()
    driver.write(bytes([0xFA, 0, 0, 0x9A, 0x01]))
    assert len({driver.pulse_us(channel) for channel in range(16)}) == 1
    assert driver.pulse_us(15) > 1900


def test_the_prescaler_is_locked_while_awake() -> None:
    driver, _ = started()
    driver.write(bytes([0xFE, 3]))
    driver.write(bytes([0xFE]))
    assert driver.read(1) == bytes([121])


def test_power_sets_it_asleep_with_everything_off() -> None:
    driver, pulses = started()
    driver.write(pulse(3, 2000))
    driver.power_on()
    assert pulses[-1] == (3, 0)
    driver.write(bytes([0x00]))
    assert driver.read(1) == bytes([0x11])


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_any_writes_leave_it_readable(writes: list[bytes]) -> None:
    driver, _ = started()
    for data in writes:
        driver.write(data)
    assert len(driver.read(256)) == 256
