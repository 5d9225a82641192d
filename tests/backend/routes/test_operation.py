"""What those who run the backend ask it, and what it writes for them."""

import json
import logging

import pytest
from fastapi import FastAPI

from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.telemetry import JsonLines
from tests.backend.actors import Board, Cook, accepted
from tests.backend.asgi import Client
from tests.backend.conftest import ON_BOTH

pytestmark = ON_BOTH


def test_a_backend_that_is_well_says_so(client: Client) -> None:
    assert accepted(client.get("/healthz")) == {"ok": True}


def test_one_without_its_database_does_not(
    app: FastAPI, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise StoreBusyError("The database did not answer; try again.")

    monkeypatch.setattr(app.state.services.database, "check", gone)

    assert client.get("/healthz").status_code == 503


def test_requests_boards_and_jobs_are_counted(cook: Cook, board: Board, client: Client) -> None:
    cook.queue_job()
    cook.client.get("/jobs/999")
    board.heartbeat()
    client.get("/nobody/made/this/up")

    lines = client.get("/metrics").text.splitlines()

    assert 'dispctl_requests_total{method="GET",route="/jobs/{job_id}",status="404"} 1.0' in lines
    assert 'dispctl_requests_total{method="GET",route="other",status="404"} 1.0' in lines
    assert "dispctl_boards_online 1.0" in lines
    assert 'dispctl_jobs{status="queued"} 1.0' in lines
    assert 'dispctl_jobs{status="done"} 0.0' in lines


def test_a_request_is_one_record_without_anything_secret(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "dispctl.backend.requests"):
        board.next_job()

    (record,) = [one for one in caplog.records if one.name == "dispctl.backend.requests"]
    line = json.loads(JsonLines().format(record))
    assert (line["method"], line["route"], line["status"]) == ("GET", "/devices/me/next_job", 204)
    assert line["level"] == "info"
    assert line["ms"] >= 0
    assert board.token not in json.dumps(line)
