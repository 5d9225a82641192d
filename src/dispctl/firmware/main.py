"""Starts the firmware: the outputs are closed before anything else is even imported. The composition root."""

from . import actuators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .dispenser import Dispenser
    from .parts import Outputs, Parts

_PAUSE_AFTER_FAILURE_MS = 5_000
_CLOSE_ATTEMPTS = 10
_CLOSE_PAUSE_MS = 100


def main(on_started: "Callable[[], None]") -> None:
    """Run until Ctrl-C ends it; every exit closes the outputs and gives the watchdog its longest time-out.

    `on_started` is called once, when the firmware has said that it runs.
    """
    outputs: Outputs = actuators.close_outputs()
    try:
        dispenser = _assemble(outputs)
        outputs = dispenser.parts.outputs  # whatever is behind them when this ends
        dispenser.setup()
        on_started()
        while True:
            _guarded_loop(dispenser)
    finally:
        _leave(outputs)


def _assemble(outputs: "Outputs") -> "Dispenser":
    from . import VERSION, hardware
    from .loading import load_modules

    radio = hardware.Radio()  # it wants large pieces of the memory that the heap grows into
    load_modules(__name__.rpartition(".")[0])
    from .backend import Backend
    from .backend_time import BackendTime
    from .certificate_clock import CertificateClock
    from .console import Console
    from .dispenser import Dispenser
    from .http_client import HttpClient
    from .idle import Idle
    from .improv_service import ImprovService
    from .jars import Jars
    from .parts import Parts
    from .settings import Settings
    from .sockets import Transport
    from .watchdog import Watchdog
    from .wifi import WifiLink

    parts = Parts()
    parts.clock = hardware.Clock()
    parts.outputs = Jars(outputs, parts, actuators.make_outputs)
    parts.storage = hardware.Storage()
    parts.retained = hardware.Retained()
    parts.radio = radio
    parts.system = hardware.System()
    parts.console = Console(hardware.Serial())
    parts.watchdog = Watchdog(hardware.WatchdogTimer(), parts.clock)
    parts.idle = Idle(parts.clock, parts.console, parts.watchdog)
    parts.settings = settings = Settings(parts.storage)
    if isinstance(outputs, actuators.NoOutputs) and not outputs.absent:
        finding = settings.finding or "settings.json: actuator recusado pelo chip"
        settings.finding = finding + "; saídas desligadas: grave o atuador (actuator) de novo e reinicie"
    parts.wifi = WifiLink(parts.radio, parts.clock, parts.console, settings)
    transport = Transport(parts.idle.wait_ms, lambda: (settings["ca_pem"], settings["tls_insecure"]))
    http = HttpClient(transport, parts.clock)
    unchecked = HttpClient(Transport(parts.idle.wait_ms, lambda: (None, True)), parts.clock)
    parts.certificate_clock = CertificateClock(hardware.CalendarClock(), parts.storage, parts.clock)
    backend_time = BackendTime(parts.certificate_clock, unchecked, parts.console)
    parts.backend = Backend(http, backend_time, settings, parts.system, parts.console, version=VERSION)
    parts.system.keyboard_interrupt(False)  # the console tells Ctrl-C from the byte 3 in an Improv frame
    dispenser = Dispenser(parts, VERSION)
    ImprovService(parts, VERSION).listen()
    return dispenser


def _guarded_loop(dispenser: "Dispenser") -> None:
    """One pass; an unforeseen failure closes everything, is printed whole, and does not end the program."""
    try:
        dispenser.loop()
    except Exception as error:
        _report_failure(dispenser.parts, error)


def _report_failure(parts: "Parts", error: Exception) -> None:
    parts.outputs.close_soon()
    parts.console.write_line(parts.system.exception_text(error))
    parts.system.collect()
    parts.console.log("ERRO", f"Falha inesperada ({type(error).__name__}); continuando em 5 s")
    parts.idle.wait_ms(_PAUSE_AFTER_FAILURE_MS)


def _leave(outputs: "Outputs") -> None:
    """For the REPL: nothing open, Ctrl-C works, and the watchdog, which cannot be stopped, will wait for days.

    A jar that does not close is left to the next boot: nobody would close it at the REPL.
    """
    from . import hardware
    from .watchdog import REPL_MS

    try:
        closed = _close(outputs)
    finally:
        hardware.System().keyboard_interrupt(True)
        hardware.WatchdogTimer().arm(REPL_MS)
    if not closed and outputs.may_be_open:
        hardware.System().reset()


def _close(outputs: "Outputs") -> bool:
    """Whether everything is closed; tried for a second, each time over a new bus."""
    from time import sleep

    for _ in range(_CLOSE_ATTEMPTS):
        try:
            outputs.close_all()
        except Exception:
            sleep(_CLOSE_PAUSE_MS / 1000)
            outputs.renew()
        else:
            return True
    return False
