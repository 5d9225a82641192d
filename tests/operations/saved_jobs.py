"""Saved jobs as boards have them, by name; the files are made by the firmware's own codec."""

from __future__ import annotations

import json

from dispctl.firmware import job_state as codec
from dispctl.firmware.job import parse_job

SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")
PAYLOAD = json.dumps(
    {
        "id": 7,
        "created_at": "2026-01-02T03:04:05",
        "itens": [
            {"id": 20 + n, "ordem": n, "frasco": n, "tempero": spice, "quantidade_g": 10.0, "segundos": 5.0}
            for n, spice in enumerate(SPICES, start=1)
        ],
    }
).encode()


def files(*progress: tuple[int, int]) -> dict[str, bytes]:
    """A four-item job, its first items with these (code, poured ms)."""
    state = codec.JobState(parse_job(PAYLOAD), 1234)
    for index, (code, poured_ms) in enumerate(progress):
        state.codes[index] = code
        state.poured_ms[index] = poured_ms
    return {
        codec.JOB_FILE: codec.encode_job(1234, PAYLOAD),
        codec.PROGRESS_FILE: codec.encode_progress(state, 0),
    }


def rejected() -> dict[str, bytes]:
    """No job, and a report that the backend refused for good."""
    state = codec.JobState(parse_job(PAYLOAD), 1234)
    for index in range(4):
        state.codes[index], state.poured_ms[index] = codec.DONE, 5000
    return {
        codec.REJECTED_FILE: codec.encode_rejected(state, PAYLOAD, 404, "Job não encontrado"),
        codec.FINISHED_FILE: codec.encode_finished(state, b""),
    }


SAVED = {
    "no-job": {},
    "queued": files(),
    "mid-item": files((codec.DONE, 5000), (codec.ABORTED, 2000), (codec.RUNNING, 1500)),
    "unreported": files(*[(codec.DONE, 5000)] * 4),
    "rejected": rejected(),
    "damaged": {**files((codec.DONE, 5000)), codec.JOB_FILE: files()[codec.JOB_FILE][:60]},
}
