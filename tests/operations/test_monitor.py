"""Watching: what ends it and how, with moments made up by the test."""

import io
import re
from pathlib import Path

import pytest

from dispctl.adapters.port_reader import Closed, Moment, Opened, PortItem, Quiet, Received
from dispctl.errors import DeadlineError, JobEndedBadlyError
from dispctl.firmware import VERSION, job
from dispctl.logs.events import read_line
from dispctl.operations.monitor import (
    Attached,
    Detached,
    EndCondition,
    LineSeen,
    MonitorEvent,
    Reattached,
    monitor,
    monitor_boards,
)

PORT = "/dev/ttyUSB0"
JOB = """[POLL] ✓ Job recebido!
[POLL] Job 7 salvo em Flash para execução offline
[EXEC] Iniciando execução do job 7
[EXEC] Item 1/2: Frasco 1 por 5.000s
[EXEC] ✓ Item 1 concluído (real: 5.02s). Progresso salvo.
[EXEC] Item 2/2: Frasco 2 por 5.000s
{item_2}
[EXEC] Execução concluída em 10.10s
[REPORT] Enviando relatório do job 7
[REPORT] ✓ Relatório enviado com sucesso!
[POLL] after the end
"""
DONE = JOB.format(item_2="[EXEC] ✓ Item 2 concluído (real: 5.01s). Progresso salvo.")
PARTIAL = JOB.format(item_2="[EXEC] ✗ Item 2 falhou: frasco inválido. Progresso salvo.")


def at(second: float) -> Moment:
    """A moment, `second` seconds after some beginning."""
    return Moment(monotonic_s=100 + second, epoch_s=1_700_000_000 + second)


def said(text: str, second: float = 0) -> Received:
    return Received(at(second), text.encode())


def texts(events: list[MonitorEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, LineSeen)]


def test_lines_come_as_events_with_the_moment_of_their_first_byte() -> None:
    events = list(
        monitor([Opened(at(0), again=False, port=PORT), said("[POLL] ✓ Job", 1), said(" recebido!\r\n", 2)])
    )
    assert events[0] == Attached(at(0), PORT)
    (line,) = [event for event in events if isinstance(event, LineSeen)]
    assert (line.text, line.moment, line.log.event) == ("[POLL] ✓ Job recebido!", at(1), "job_received")


def test_a_gap_is_marked_and_cuts_the_line() -> None:
    items: list[PortItem] = [
        Opened(at(0), again=False, port=PORT),
        said("[EXEC] Item 1/", 1),
        Closed(at(2), "unplugged"),
        Opened(at(2.4), again=True, port=PORT),
        said("[SETUP] hello\n", 3),
    ]
    events = list(monitor(items))
    assert texts(events) == ["[EXEC] Item 1/", "[SETUP] hello"]
    assert Detached(at(2), "unplugged") in events
    (back,) = [event for event in events if isinstance(event, Reattached)]
    assert back.gap_s == pytest.approx(0.4)
    assert isinstance(events[-1], LineSeen)
    assert events[-1].log.tag == "SETUP"


def test_a_prompt_without_an_end_is_given_out_after_a_silence() -> None:
    items: list[PortItem] = [said(">>> ", 0), Quiet(at(0.1)), Quiet(at(0.7)), Quiet(at(0.8))]
    (prompt,) = monitor(iter(items))
    assert prompt == LineSeen(">>> ", read_line(">>> "), at(0), ends=False, data=b">>> ")


def test_every_byte_is_recorded_as_it_came() -> None:
    record = io.BytesIO()
    list(monitor([said("a\r\n"), Received(at(0), b"\xff\x00half")], record=record))
    assert record.getvalue() == b"a\r\n\xff\x00half"


def test_until_ends_at_the_first_line_that_matches() -> None:
    events = list(monitor([said("one\ntwo\nthree\n")], EndCondition(until=re.compile("tw"))))
    assert texts(events) == ["one", "two"]


def test_until_looks_at_the_last_line_without_an_end_too() -> None:
    assert texts(list(monitor([said("one\n>>> ")], EndCondition(until=re.compile(">>>"))))) == ["one", ">>> "]


def test_fail_on_shows_its_line_and_then_fails() -> None:
    seen: list[MonitorEvent] = []
    with pytest.raises(JobEndedBadlyError, match="Traceback"):
        seen.extend(monitor([said("one\nTraceback (most\n")], EndCondition(fail_on=re.compile("^Trace"))))


def test_a_job_done_ends_the_watch_at_its_report() -> None:
    events = list(monitor([said(DONE)], EndCondition(until_job_done=True)))
    assert texts(events)[-1] == "[REPORT] ✓ Relatório enviado com sucesso!"


def test_a_job_with_a_failed_item_is_a_failure() -> None:
    with pytest.raises(JobEndedBadlyError, match="Job 7 ended partially: failed items 2"):
        list(monitor([said(PARTIAL)], EndCondition(until_job_done=True)))


def test_a_reset_in_mid_job_forgets_no_failed_item() -> None:
    before, after = PARTIAL.split("[EXEC] Execução")
    resumed = "[RESUME] Retomando job 7 (item 3/3)\n[EXEC] Iniciando execução do job 7\n[EXEC] Execução"
    with pytest.raises(JobEndedBadlyError, match="failed items 2"):
        list(monitor([said(before + resumed + after)], EndCondition(until_job_done=True)))


def test_the_next_job_is_judged_for_itself() -> None:
    watching = monitor([said(PARTIAL + DONE.replace("job 7", "job 8"))])
    assert len(texts(list(watching))) == 2 * len(DONE.splitlines())
    second = DONE.replace("job 7", "job 8").replace("Job 7", "Job 8")
    list(
        monitor(
            [said("[EXEC] ✗ Item 1 falhou: x. Progresso salvo.\n" + second)],
            EndCondition(until_job_done=True),
        )
    )


def begun_in_the_middle(done: int, failed: int) -> str:
    """The log from item 2 on, with the firmware's own count before the report."""
    rest = DONE.split("Progresso salvo.\n", 1)[1]
    return rest.replace(
        "[REPORT] ✓", f"[REPORT] Itens do job 7: {done} concluídos, {failed} falhos\n[REPORT] ✓"
    )


def test_who_begins_in_mid_job_is_told_of_items_that_failed_before() -> None:
    end = EndCondition(until_job_done=True)
    list(monitor([said(begun_in_the_middle(2, 0))], end))
    with pytest.raises(JobEndedBadlyError, match="Job 7 ended partially: 1 failed item"):
        list(monitor([said(begun_in_the_middle(1, 1))], end))


def test_a_report_alone_tells_how_the_job_went() -> None:
    report = "[REPORT] Enviando relatório do job 9\n[REPORT] Itens do job 9: 0 concluídos, 2 falhos\n"
    with pytest.raises(JobEndedBadlyError, match="Job 9 ended with nothing poured: 2 failed items"):
        list(
            monitor(
                [said(report + "[REPORT] ✓ Relatório enviado com sucesso!\n")],
                EndCondition(until_job_done=True),
            )
        )


def test_several_boards_are_awaited_each_for_itself() -> None:
    items = [
        ("a", said("one\n")),
        ("b", said("two\n")),
        ("a", said("still\n")),
        ("b", said("one\n")),
        ("a", said("x\n")),
    ]
    seen = list(monitor_boards(items, ["a", "b"], EndCondition(until=re.compile("one"))))
    assert [(board, event.text) for board, event in seen if isinstance(event, LineSeen)] == [
        ("a", "one"), ("b", "two"), ("a", "still"), ("b", "one"),
    ]  # fmt: skip


def test_each_board_has_a_record_and_half_lines_of_its_own() -> None:
    items = [("a", said("he")), ("b", said("you\n")), ("a", said("llo\n"))]
    records = {"a": io.BytesIO(), "b": io.BytesIO()}
    seen = list(monitor_boards(items, ["a", "b"], records=records))
    assert [(board, event.text) for board, event in seen if isinstance(event, LineSeen)] == [
        ("b", "you"),
        ("a", "hello"),
    ]
    assert (records["a"].getvalue(), records["b"].getvalue()) == (b"hello\n", b"you\n")


def test_an_exception_points_to_the_source_of_the_same_version_only() -> None:
    frame = f'  File "/firmware/job.py", line {line_of_function("parse_job")}, in parse_job\n'
    log = "Traceback (most recent call last):\n" + frame + "ValueError: x\n"
    for version, known in ((VERSION, True), ("0.0.1", False)):
        boot = f"[SETUP] dispctl firmware {version} uid=esp-1\n"
        last = list(monitor([said(boot + log)]))[-1]
        assert isinstance(last, LineSeen)
        assert (last.source is not None) == known
        assert ("source" in last.log.fields) == known


def line_of_function(name: str) -> int:
    """The number of the line in `job.py` where the function begins."""
    lines = Path(job.__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"def {name}"))


def test_what_does_not_come_in_time_is_a_deadline_that_says_how_far_it_got() -> None:
    items: list[PortItem] = [said(DONE.split("[EXEC] ✓")[0], 0), *(Quiet(at(second)) for second in range(12))]
    with pytest.raises(DeadlineError, match="10 s passed before the job's end came") as failure:
        list(monitor(items, EndCondition(until_job_done=True, timeout_s=10)))
    assert failure.value.hint == "Last seen: job 7, item 1 of 2."


def test_a_time_limit_with_nothing_awaited_just_ends() -> None:
    endless = (Quiet(at(second)) for second in range(1000))
    assert list(monitor(endless, EndCondition(timeout_s=5))) == []
    assert next(endless).moment == at(6)


def test_a_silence_counts_from_the_last_byte() -> None:
    items: list[PortItem] = [
        Opened(at(0), again=False, port=PORT),
        said("a\n", 4),
        Quiet(at(6)),
        Quiet(at(9.5)),
        said("never\n", 10),
    ]
    with pytest.raises(DeadlineError, match="printed nothing for 5 s"):
        list(monitor(items, EndCondition(until=re.compile("never"), idle_timeout_s=5)))


def test_a_recording_that_ends_too_early_is_a_deadline() -> None:
    with pytest.raises(DeadlineError, match="The log ended before a line matching 'x' came"):
        list(monitor([Received(None, b"a\n")], EndCondition(until=re.compile("x"))))
