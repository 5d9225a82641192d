"""The control lines' operations. Knows what each may do when; the line format is `control_lines`' business.

No answer carries a password or a token. Nothing slow is done while a jar is open.
"""

from binascii import a2b_base64, b2a_base64

from . import job_persistence, job_state
from .control_lines import RequestError, format_answer, format_refusal, parse_request
from .halves import whole_text
from .job import JobRefusedError
from .settings import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .dispenser import Dispenser

CHUNK_BYTES = 512
POURING_CHUNK_BYTES = 256  # a longer line would take longer than the end of a pour can wait
_NETWORK = ("ssid", "password")


class RefusedError(Exception):
    """The operation cannot be done now; the message says why."""


class Control:
    """Answers every request with one line."""

    def __init__(self, dispenser: "Dispenser") -> None:
        self._dispenser = dispenser
        self._parts = dispenser.parts
        self._ops = {
            "status": self._status,
            "job_state": self._job_state,
            "clear_job": self._clear_job,
            "get_settings": self._get_settings,
            "set_settings": self._set_settings,
            "scan": self._scan,
            "reset": self._reset,
            "abort_job": self._abort_job,
            "resume": self._resume,
            "put_job": self._put_job,
        }

    def handle(self, line: bytes) -> None:
        """Answer `line` if it is a request; anything else on the line is ignored."""
        try:
            request = parse_request(line)
        except RequestError as error:
            self._parts.console.write_line(format_refusal(error.request_id, error.reason))
            return
        if request is not None:
            self._parts.certificate_clock.set_by_cable(request.get("utc"))
            self._parts.console.write_line(self._answer(request))

    def _answer(self, request: "dict[str, Any]") -> str:
        op = self._ops.get(request["op"])
        if op is None:
            return format_refusal(request["id"], "unknown op")
        try:
            return format_answer(request["id"], op(request))
        except (RefusedError, SettingsError) as error:
            return format_refusal(request["id"], str(error))
        except OSError as error:
            return format_refusal(request["id"], f"flash or radio: {error}")
        except (
            Exception
        ) as error:  # whatever a request provokes ends with it, not with the pour that it came in
            return format_refusal(request["id"], f"failed: {type(error).__name__}")

    def _status(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        return self._dispenser.status()

    def _job_state(self, request: "dict[str, Any]") -> "dict[str, Any]":
        name = request.get("file")
        if name is not None:
            return self._chunk(name, request.get("offset", 0))
        storage = self._parts.storage
        files = {}
        for each in storage.names():
            if each.startswith(job_state.JOB_FILE):
                files[each] = storage.size(each)
        return {"files": files, "state": self._described_state()}

    def _described_state(self) -> "dict[str, Any] | None":
        state = self._dispenser.job
        if state is None:
            return None
        on_interrupted = self._parts.settings["on_interrupted"]
        if (
            self._parts.pouring
        ):  # neither loading a module nor a line with every item is something that a jar can wait for
            return job_state.summary(state, on_interrupted)
        from .job_view import describe

        return describe(state, on_interrupted)

    def _chunk(self, name: "Any", offset: "Any") -> "dict[str, Any]":
        if not isinstance(name, str) or not name.startswith(job_state.JOB_FILE) or "/" in name:
            raise RefusedError('"file" must be the name of a job_state file')
        data = self._parts.storage.read(name)
        if not isinstance(offset, int) or not 0 <= offset <= len(data):
            raise RefusedError('"offset" must be a whole number within the file')
        count = POURING_CHUNK_BYTES if self._parts.pouring else CHUNK_BYTES
        piece = b2a_base64(data[offset : offset + count]).strip().decode()
        return {"file": name, "offset": offset, "size": len(data), "data": piece}

    def _clear_job(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        if self._dispenser.executing:
            raise RefusedError("busy: the job is being poured; abort it first")
        if self._dispenser.reporting:  # the answer that is on its way ends the job that is on flash then
            raise RefusedError("busy: the report is being sent; try again")
        job_persistence.forget_job(self._parts.storage, self._parts.retained)
        self._dispenser.drop_job()
        return {}

    def _get_settings(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        return {"settings": self._parts.settings.redacted()}

    def _set_settings(self, request: "dict[str, Any]") -> "dict[str, Any]":
        changes = request.get("settings")
        if not isinstance(changes, dict):
            raise RefusedError('"settings" must be an object')
        settings = self._parts.settings
        changes = dict(changes)
        for key in _NETWORK:
            if isinstance(changes.get(key), str):
                changes[key] = whole_text(changes[key])
        settings.check(changes)
        self._refuse_to_strand_a_report(changes, request.get("same_backend") is True)
        candidate = self._take_candidate(changes)
        settings.merge(changes)
        if candidate:
            self._parts.wifi.try_credentials(*candidate)
        restart_needed = "actuator" in changes and not self._parts.outputs.absent
        self._dispenser.settings_changed(changes)
        return {"settings": settings.redacted(), "restart_needed": restart_needed}

    def _refuse_to_strand_a_report(self, changes: "dict[str, Any]", same_backend: bool) -> None:
        """A job's id means another job, or none, at another backend, and its report would take stock off there."""
        saved = self._parts.settings["backend_url"]
        job = self._dispenser.job.job if self._dispenser.job else None
        if job is None or job.local or same_backend or changes.get("backend_url", saved) == saved:
            return
        raise RefusedError(
            f"job {job.id} is to be reported to {saved or 'its backend'}; wait for that, clear the job, "
            'or say "same_backend": true if this is its new address'
        )

    def _take_candidate(self, changes: "dict[str, Any]") -> "tuple[str, str] | None":
        """The network to try, if `changes` speak of one: what they leave out is as saved.

        Taken out of `changes` where the board has a network: that one stays until the new one has joined.
        """
        settings = self._parts.settings
        if not any(key in changes for key in _NETWORK):
            return None
        ssid = changes.get("ssid", settings["ssid"])
        if ssid is None:
            return None
        password = changes.get("password", settings["password"]) or ""
        if settings["ssid"] is not None:
            for key in _NETWORK:
                changes.pop(key, None)
        return ssid, password

    def _scan(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        self._refuse_while_pouring()
        return {"networks": self._parts.wifi.scan()}

    def _reset(self, request: "dict[str, Any]") -> "dict[str, Any]":
        if not self._parts.outputs.unclosed:  # a reset may help a jar that does not close
            self._refuse_while_pouring()
        self._parts.console.write_line(format_answer(request["id"], {}))
        self._dispenser.restart()
        raise RefusedError("the board did not restart")

    def _abort_job(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        if self._dispenser.job is None or self._dispenser.job.next_item() < 0:
            raise RefusedError("no job is under way")
        self._parts.abort_requested = True
        self._dispenser.waits_for_operator = False
        return {"job": self._dispenser.job.job.id}

    def _resume(self, _request: "dict[str, Any]") -> "dict[str, Any]":
        if not self._dispenser.waits_for_operator:
            raise RefusedError("no job waits for a word")
        self._dispenser.waits_for_operator = False
        return {}

    def _put_job(self, request: "dict[str, Any]") -> "dict[str, Any]":
        """`job` is the payload in base64: the longest that is taken fits into one request line."""
        try:
            payload = a2b_base64(request["job"])
        except (KeyError, TypeError, ValueError):
            raise RefusedError('"job" must be base64')
        try:
            state = self._dispenser.put_job(payload)
        except JobRefusedError as error:
            raise RefusedError(error.reason)
        return {"job": state.job.id if state else None, "ended": state is None}

    def _refuse_while_pouring(self) -> None:
        if self._parts.pouring:
            raise RefusedError("busy: a jar is being poured")
