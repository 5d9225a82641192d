"""The dispenser's life: join, claim, poll, pour, report, retry. The states and names are phase 2's.

Knows when to do what; how is in the parts. A job that was received or resumed is finished with or without a network;
its report is retried for ever.
"""

from . import job_execution as execution
from . import job_persistence as persistence
from .backend import UNAUTHORIZED
from .claim import claim_token
from .control import Control
from .job import JobRefusedError, find_job_id, parse_job
from .job_state import RUNNING, JobState, job_mark, same_job
from .polls import POLL_BACKOFF_MAX_MS, Polls
from .self_description import describe_status, tell_findings
from .timer import Timer, jittered
from .watchdog import NORMAL_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .http_client import Response
    from .parts import Parts

ST_CONFIG_PORTAL = "config_portal"
ST_WIFI_CONNECT = "wifi_connect"
ST_ONLINE = "online"

REPORT_RETRY_MS = 30_000
CLAIM_RETRY_MS = 5_000
SAVE_RETRY_MS = 5_000
# A heartbeat goes a quarter of its period early, at most so long, rather than cut a wait short.
_EARLY_SHARE = 4
_EARLY_MS = 10_000
_PASS_MS = 20
_PASS_LIMIT_MS = 120_000  # a pass of the loop may hold several HTTP calls, each within its own time-out
_NO_CONTENT = 204
_BEGINNING_BYTES = 64


class Dispenser:
    """`setup` once, then `loop` for ever; `job` is the saved job, None if there is none."""

    def __init__(self, parts: "Parts", version: str) -> None:
        self.parts = parts
        self.state = ST_CONFIG_PORTAL
        self.job: JobState | None = None
        self.waits_for_operator = False
        self.executing = False
        self.reporting = False
        self._version = version
        self._from_cable = False
        self._resuming = False
        self._was_joined = False
        self._claim_failed: str | None = None
        clock = parts.clock
        self._polls = Polls(clock, parts.system)
        self._heartbeat = Timer(clock)
        self._report = Timer(clock)
        self._claim = Timer(clock)
        self._save = Timer(clock)
        parts.console.on_line = Control(self).handle
        parts.idle.tasks.append(parts.outputs.drive)
        parts.idle.tasks.append(self._background)

    def setup(self) -> None:
        """After boot, with the outputs closed: say who is there, arm the watchdog, look for a job that was under way."""
        parts = self.parts
        system = parts.system
        parts.console.log(
            "SETUP", f"dispctl firmware {self._version} uid={system.uid} reset={system.reset_cause}"
        )
        parts.watchdog.arm(NORMAL_MS)
        parts.outputs.close_soon()  # a bus that did not answer at boot is found here
        tell_findings(parts)
        self.job = execution.try_resume_job_from_flash(parts)
        self._resuming = self.job is not None
        self.waits_for_operator = self._must_ask()

    def loop(self) -> None:
        """One pass: at most one thing of those that are due."""
        parts = self.parts
        parts.watchdog.allow(_PASS_LIMIT_MS)
        self._save_settings()
        if parts.settings.has_actuator:
            parts.outputs.equip(parts.settings["actuator"])
        self._save_clock()
        parts.idle.wait_ms(_PASS_MS)
        self._advance_state()
        if self.state == ST_ONLINE:
            self._work_online()
        elif self.job:
            self._work_offline(self.job)

    def poll_next_job(self) -> None:
        """Ask for a job, and wait for it where the backend lets the board; save it, pour it, report it."""
        parts = self.parts
        parts.watchdog.allow(_PASS_LIMIT_MS)
        wait_s = self._polls.begin(self._free_ms())
        backend = parts.backend
        answer = backend.await_job(wait_s, self._wait_is_over) if wait_s else backend.next_job()
        if answer.ok:
            self._polls.answered(wait_s, answer.poll_wait_s)
        elif wait_s and answer.status != UNAUTHORIZED:
            self._wait_failed()
        else:
            self._poll_failed(answer)
        if answer.ok and answer.status != _NO_CONTENT and not self._polls.interrupted:
            self._receive(answer)  # else it may be from a backend of before; this one will hand out its own

    def put_job(self, payload: bytes) -> "JobState | None":
        """Take a job that came over the cable, None if it has ended before: as from the backend, saved before poured.

        A repeat is answered as the first. Raises JobRefusedError (also while there is another job) and OSError.
        While a jar is open another job is told by the id that it begins with: parsing it all would take too long.
        """
        known = self.job
        is_other = known is not None and find_job_id(payload[:_BEGINNING_BYTES]) != known.job.id
        if known is not None and is_other and self.parts.pouring:
            raise JobRefusedError(f"busy: job {known.job.id} is on the board")
        job = parse_job(payload)
        if known is not None:
            if not same_job(known.job, job.id, job_mark(job)):
                raise JobRefusedError(f"busy: job {known.job.id} is on the board", job.id)
            return known
        if persistence.is_finished(self.parts.storage, job):
            return None
        state = JobState(job, self.parts.clock.uptime_ms())
        persistence.save_job(self.parts.storage, self.parts.retained, state, payload)
        self.job = state
        self._from_cable = True
        self.parts.console.log("CABO", f"Job {job.id} recebido pelo cabo e salvo em Flash")
        return state

    def drop_job(self) -> None:
        """Forget the job in memory; its files are gone."""
        self.job = None
        self._from_cable = False
        self._resuming = False
        self.waits_for_operator = False
        self.parts.abort_requested = False

    def settings_changed(self, changes: "dict[str, Any]") -> None:
        """Take effect at once where that can be: a new claim code or backend is tried now.

        Raises OSError when they could not be saved; the loop goes on trying that.
        """
        self.parts.backend.refused = False
        self.parts.backend.hang_up()
        self._claim_failed = None
        self._polls.forget()
        for timer in (self._claim, self._heartbeat):
            timer.start(0)
        if "on_interrupted" in changes:
            self.waits_for_operator = self.waits_for_operator and self._must_ask()
        if not self.parts.pouring:
            self.parts.settings.save()

    def restart(self) -> None:
        """Close, save and reset the board."""
        self.parts.outputs.close_soon()
        self._save_settings()
        self.parts.system.reset()

    def status(self) -> "dict[str, Any]":
        """The answer to `status`."""
        told = describe_status(self.parts, self.job)
        told["state"] = self.state
        told["waiting"] = self.waits_for_operator
        told["version"] = self._version
        if self._claim_failed:
            told["backend"]["error"] = self._claim_failed
        return told

    def _background(self) -> None:
        self.parts.wifi.busy = self.parts.pouring
        self.parts.wifi.drive()

    def _save_settings(self) -> None:
        if not self._save.due:
            return
        try:
            self.parts.settings.save()
        except (OSError, MemoryError) as error:
            self._save.start(SAVE_RETRY_MS)
            self.parts.console.log("SETUP", f"✗ Configuração não salva: {str(error) or type(error).__name__}")

    def _save_clock(self) -> None:
        try:
            self.parts.certificate_clock.save()
        except (OSError, MemoryError) as error:
            self.parts.console.log("PERSIST", f"✗ Hora não salva: {error}")

    def _advance_state(self) -> None:
        parts = self.parts
        parts.wifi.drive()
        settings = parts.settings
        can_claim = settings["device_token"] or settings["claim_code"]
        if parts.wifi.ssid is None or not settings["backend_url"] or not can_claim:
            self.state = ST_CONFIG_PORTAL
        else:
            self.state = ST_ONLINE if parts.wifi.joined else ST_WIFI_CONNECT
        if parts.wifi.joined and not self._was_joined:
            for timer in (self._polls, self._report, self._heartbeat, self._claim):
                timer.start(0)
        elif self._was_joined and not parts.wifi.joined:
            parts.backend.hang_up()  # the next address will be another, and nobody answers to this one
        self._was_joined = parts.wifi.joined

    def _work_online(self) -> None:
        if self.parts.settings["claim_code"] and self._claim.due:
            self._claim_token()
        if not self.parts.settings["device_token"]:
            self._work_unclaimed()
            return
        self._heartbeat_if_due(self._early_ms())
        if self.job is None:
            if self._polls.due:
                self.poll_next_job()
        elif self.job.next_item() < 0:
            self._retry_report()
        elif self._may_pour():
            self._run_job()

    def _work_unclaimed(self) -> None:
        """All but what needs a token: a pending claim keeps no jar waiting."""
        if self._may_pour():
            self._run_job()
        elif self.job and self.job.job.local:
            self._retry_report()

    def _work_offline(self, state: JobState) -> None:
        """Pour what was asked for over this cable, or may be resumed; keep the results of what no backend knows."""
        parts = self.parts
        at_once = self._from_cable or state.job.local or parts.settings["resume_offline"]
        if self._may_pour() and (at_once or parts.abort_requested):
            self._run_job()
        elif state.job.local and state.next_item() < 0:
            self._retry_report()

    def _may_pour(self) -> bool:
        return self.job is not None and self.job.next_item() >= 0 and not self.waits_for_operator

    def _must_ask(self) -> bool:
        index = self.job.next_item() if self.job else -1
        asks = self.parts.settings["on_interrupted"] == "ask"
        return bool(asks and self.job and index >= 0 and self.job.codes[index] == RUNNING)

    def _claim_token(self) -> None:
        self._claim_failed = claim_token(self.parts)
        self._claim.start(jittered(CLAIM_RETRY_MS, self.parts.system))
        if self._claim_failed is None:
            self._save_settings()
            for timer in (self._heartbeat, self._polls, self._report):
                timer.start(0)

    def _heartbeat_if_due(self, early_ms: int = 0) -> None:
        if self._heartbeat.left_ms > early_ms or not self.parts.wifi.joined:
            return
        parts = self.parts
        fields = {
            "rssi": parts.radio.rssi(),
            "free_heap": parts.system.free_heap(),
            "uptime_ms": parts.clock.uptime_ms(),
            "job": self.job.job.id if self.job else None,
        }
        known = parts.backend.error
        answer = parts.backend.heartbeat(fields)
        self._heartbeat.start(parts.settings["heartbeat_sec"] * 1000)
        if answer.ok or parts.backend.error == known:
            return
        if parts.backend.refused:
            self._say_refused()
        else:
            parts.console.log("HEARTBEAT", f"✗ HTTP {answer.status} {answer.error}")

    def _say_refused(self) -> None:
        self.parts.console.log("CLAIM", "⚠ Token recusado (401): é preciso um novo código de registro")

    def _between_items(self) -> None:
        """A job longer than the backend's patience keeps the board online, unless the backend is away."""
        if self.parts.backend.reached and self.state == ST_ONLINE:
            self._heartbeat_if_due()

    def _early_ms(self) -> int:
        period_ms = self.parts.settings["heartbeat_sec"] * 1000
        return min(period_ms // _EARLY_SHARE, _EARLY_MS) if self._polls.may_wait else 0

    def _free_ms(self) -> int:
        """How long nothing else will be due, as far as that is known."""
        settings = self.parts.settings
        return 0 if settings["claim_code"] or settings.dirty else self._heartbeat.left_ms

    def _has_other_work(self) -> bool:
        """Whether something has come up, while a poll waits, that the loop would do now if it ran."""
        parts = self.parts
        return (
            self._polls.interrupted or self.job is not None or not parts.wifi.joined or parts.settings.dirty
        )

    def _wait_is_over(self) -> bool:
        return self._heartbeat.due or self._has_other_work()

    def _wait_failed(self) -> None:
        """Without a word: the poll that follows tells what is the matter, if anything is."""
        self.parts.wifi.drive()
        if not self._has_other_work():
            self._polls.wait_failed()

    def _poll_failed(self, answer: "Response") -> None:
        if self._polls.failed():
            self.parts.console.log("POLL", f"✗ HTTP {answer.status} {answer.error}")
            if self.parts.backend.refused:
                self._say_refused()

    def _receive(self, answer: "Response") -> None:
        parts = self.parts
        payload = answer.body
        if self.job is not None:
            return  # another came over the cable meanwhile; this one will be handed out again
        try:
            job = parse_job(payload)
            if job.local:
                raise JobRefusedError("id reservado a jobs locais")
        except JobRefusedError as error:
            self._refuse(error.job_id, error.reason)
            return
        ended = persistence.is_finished(parts.storage, job)
        if ended:
            self._report_again(ended)
            return
        parts.console.log("POLL", "✓ Job recebido!")
        state = JobState(job, parts.clock.uptime_ms())
        try:
            persistence.save_job(parts.storage, parts.retained, state, payload)
        except OSError as error:
            parts.console.log("PERSIST", f"✗ Job {job.id} não salvo, não será executado: {error}")
            self._polls.start(POLL_BACKOFF_MAX_MS)
            return
        parts.console.log("POLL", f"Job {job.id} salvo em Flash para execução offline")
        self.job = state
        self._run_job()

    def _refuse(self, job_id: int, reason: str) -> None:
        """A job that cannot be begun: said, and reported failed if its id is known."""
        self.parts.console.log("POLL", f"✗ Job {job_id or '?'} recusado: {reason}")
        reported = job_id > 0 and self.parts.backend.refuse(job_id, reason).ok
        if not reported:
            self._polls.start(jittered(REPORT_RETRY_MS, self.parts.system))

    def _report_again(self, ended: JobState) -> None:
        console = self.parts.console
        console.log("POLL", f"⚠ Job {ended.job.id} já foi executado: reportado de novo, não servido de novo")
        execution.count_items(console, ended)
        answer = self.parts.backend.complete(ended)
        if answer.ok:
            console.log("REPORT", "✓ Relatório enviado com sucesso!")
        else:
            console.log("REPORT", f"✗ Falha ao reportar: HTTP {answer.status}")
            self._polls.start(jittered(REPORT_RETRY_MS, self.parts.system))

    def _run_job(self) -> None:
        """Pour what is left of the job, then report it."""
        state = self.job
        if state is None:
            return
        if self._resuming:
            self._resuming = False
            execution.announce_resumption(self.parts, state)
        self.executing = True
        try:
            execution.execute_job_offline_with_persistence(self.parts, state, self._between_items)
        finally:
            self.executing = False
        self.parts.watchdog.allow(_PASS_LIMIT_MS)
        self._send_report(state)

    def _retry_report(self) -> None:
        if not self._report.due or self.job is None:
            return
        if self._resuming:
            self._resuming = False
            execution.announce_resumption(self.parts, self.job)
        self.parts.console.log("LOOP", "Tentando reportar job pendente...")
        self._send_report(self.job)

    def _send_report(self, state: JobState) -> None:
        if not (state.job.local or self.parts.settings["device_token"]):
            self.parts.console.log("REPORT", "Sem registro: mantendo job em Flash para retry posterior")
            return
        self.reporting = True
        try:
            over = execution.report_job_completion(self.parts, state)
        finally:
            self.reporting = False
        if over and self.job is state:
            self.drop_job()
            self._polls.start(0)
        self._report.start(jittered(REPORT_RETRY_MS, self.parts.system))
