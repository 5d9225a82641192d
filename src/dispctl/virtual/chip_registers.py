"""The ESP32's memory-mapped registers that tell a loader which chip this is: eFuses, revision, clocks, SPI controller.

Addresses and bit positions: ESP32 Technical Reference Manual (eFuse controller, UART, system registers). The chip is
an ESP32-D0WD-V3, revision 3.1, with a crystal of 40 MHz and 3.3 V flash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispctl.virtual.spi_flash import DATA_WORDS, W0, SpiFlashController

if TYPE_CHECKING:
    from dispctl.virtual.flash import NorFlash

CRYSTAL_HZ = 40_000_000
CHIP_MAGIC = 0x00F0_1D83

CHIP_DETECT = 0x4000_1000
UART0_CLKDIV = 0x3FF4_0014
SPI1 = 0x3FF4_2000
SPI1_END = SPI1 + W0 + 4 * DATA_WORDS
GPIO_STRAP = 0x3FF4_4038
EFUSE_BLOCK0 = 0x3FF5_A000
TIMG0_RTC_CALIBRATION = 0x3FF5_F06C
APB_CTRL_DATE = 0x3FF6_607C

# The ROM measures the crystal against an RC oscillator whose frequency is in an eFuse, and believes the result, which
# is a little off; its baud rates are off by as much, and a host that knows corrects for it.
RC_OSCILLATOR_EFUSE = 51
CALIBRATION_CYCLES = 2008
MEASURED_CRYSTAL_HZ = CALIBRATION_CYCLES * 15625 * RC_OSCILLATOR_EFUSE // 40

STRAP_DOWNLOAD = 0x03  # what `boot:0x3` shows: IO0 was low


class ChipRegisters:
    """Read and write 32-bit words by address. `mac` is six bytes; `uart_baud` is the speed UART0 runs at."""

    def __init__(self, flash: NorFlash, mac: bytes) -> None:
        self.uart_baud = 115200
        self._spi = SpiFlashController(flash)
        self._words = {
            CHIP_DETECT: CHIP_MAGIC,
            GPIO_STRAP: STRAP_DOWNLOAD,
            TIMG0_RTC_CALIBRATION: CALIBRATION_CYCLES << 7,
            APB_CTRL_DATE: 1 << 31,  # the third bit of the major revision, 3
            **_efuses(mac),
        }

    def read(self, address: int) -> int:
        """The word at `address`; 0 where nothing is modelled and nothing was written."""
        if SPI1 <= address < SPI1_END:
            return self._spi.read(address - SPI1)
        if address == UART0_CLKDIV:
            sixteenths = CRYSTAL_HZ * 16 // self.uart_baud
            return sixteenths // 16 | sixteenths % 16 << 20
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int = 0xFFFF_FFFF) -> None:
        """Set the bits of the word at `address` that `mask` has, to those of `value`."""
        merged = self.read(address) & ~mask | value & mask
        if SPI1 <= address < SPI1_END:
            self._spi.write(address - SPI1, merged)
        else:
            self._words[address] = merged


def _efuses(mac: bytes) -> dict[int, int]:
    """Block 0 of the eFuses: the MAC with its CRC, the package, the revision's bits, the RC oscillator."""
    words = [0] * 7
    words[1] = int.from_bytes(mac[2:], "big")
    words[2] = _mac_crc(mac) << 16 | int.from_bytes(mac[:2], "big")
    words[3] = 1 << 15 | 1 << 13 | 1 << 9  # major revision's first bit; 240 MHz; package D0WD
    words[4] = RC_OSCILLATOR_EFUSE
    words[5] = 1 << 20 | 1 << 24  # major revision's second bit; minor revision 1
    return {EFUSE_BLOCK0 + 4 * index: word for index, word in enumerate(words)}


def _mac_crc(mac: bytes) -> int:
    """The CRC-8 (polynomial 0x31 reflected, initially 0) that guards the MAC in the eFuses."""
    crc = 0
    for byte in mac:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc
