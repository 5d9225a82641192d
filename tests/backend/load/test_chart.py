"""The table and the plot of measurements, of runs that lack a kind of request too."""

from typing import Any

from tests.backend.load.chart import chart, table

QUANTILES = {"count": 9, "p50_ms": 1.5, "p99_ms": 42.5, "max_ms": 60.0}


def result(wait_s: int = 0, **kinds: Any) -> dict[str, Any]:
    said = {"requests_per_s": 100, "errors": 0, "server_cpu": 0.2, "server_rss_mib": 120, "load_average": 0.4}
    return {"database": "sqlite", "boards": 300, "wait_s": wait_s, "processes": 1, **said, **kinds}


def test_a_run_is_a_row() -> None:
    row = table([result(poll=QUANTILES, heartbeat=QUANTILES, report=QUANTILES)]).splitlines()[-1]

    assert (
        row == "| sqlite | 300 | once a second | 1 | 100 | 0 | 1.5 | 42.5 | 42.5 | 42.5 | 0.2 | 120 | 0.4 |"
    )


def test_what_a_run_did_not_have_is_a_dash_in_the_table_and_no_point_in_the_plot() -> None:
    without = result(wait_s=25, heartbeat=QUANTILES)

    assert table([without]).splitlines()[-1].split(" | ").count("\N{EN DASH}") == 3
    assert "<circle" not in chart([without])
    assert chart([without, result(poll=QUANTILES)]).count("<circle") == 1


def test_every_row_has_as_many_cells_as_the_head() -> None:
    head, ruler, *rows = table([result(wait_s=25, **{"order to board": QUANTILES}), result()]).splitlines()

    assert {line.count("|") for line in (head, ruler, *rows)} == {14}
