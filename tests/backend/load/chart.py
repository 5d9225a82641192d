"""The results as a Markdown table, and as an SVG: how answers slow down as fleets grow."""

import math
from collections import defaultdict
from typing import Any

Result = dict[str, Any]

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 360, 60, 300, 30
LEAST_BOARDS, MOST_BOARDS = 100, 10_000
LEAST_MS, MOST_MS = 1, 10_000
GOAL_MS = 100
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def measure(result: Result) -> str:
    """What counts in a run: how long a poll takes, or, on a long poll, how long an order takes to reach its board."""
    return "order to board" if result["wait_s"] else "poll"


def table(results: list[Result]) -> str:
    """One row a run."""
    head = (
        "| database | boards | they ask | processes | requests/s | errors | p50 ms | p99 ms | heartbeat p99 ms "
        "| report p99 ms | server, cores | server, MiB | load average |\n|---|--:|---|" + "--:|" * 10
    )
    return "\n".join([head, *map(_row, results)])


def _row(result: Result) -> str:
    asks = f"and wait {result['wait_s']} s" if result["wait_s"] else "once a second"
    cells = [
        result["database"],
        result["boards"],
        asks,
        result["processes"],
        result["requests_per_s"],
        result["errors"],
        _of(result, measure(result), "p50_ms"),
        _of(result, measure(result), "p99_ms"),
        _of(result, "heartbeat", "p99_ms"),
        _of(result, "report", "p99_ms"),
        result["server_cpu"],
        result["server_rss_mib"],
        result["load_average"],
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _of(result: Result, kind: str, figure: str) -> Any:
    """The figure of a kind of request; a dash where the run had none of the kind."""
    return result[kind][figure] if kind in result else "\N{EN DASH}"


def chart(results: list[Result]) -> str:
    """The 99th percentile by the number of boards, both axes logarithmic, a line for each kind of run."""
    lines: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for result in results:
        if measure(result) not in result:
            continue
        asks = "long poll" if result["wait_s"] else "poll"
        several = f", {result['processes']} processes" if result["processes"] > 1 else ""
        lines[f"{result['database']}, {asks}{several}"].append(
            (result["boards"], result[measure(result)]["p99_ms"])
        )
    parts = [*_axes(), *(_line(place, name, sorted(lines[name])) for place, name in enumerate(sorted(lines)))]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>", ""])


def _x(boards: float) -> float:
    share = math.log(boards / LEAST_BOARDS) / math.log(MOST_BOARDS / LEAST_BOARDS)
    return round(LEFT + share * (WIDTH - LEFT - 20), 1)


def _y(ms: float) -> float:
    share = math.log(max(ms, LEAST_MS) / LEAST_MS) / math.log(MOST_MS / LEAST_MS)
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _axes() -> list[str]:
    parts = []
    for boards in (100, 300, 1000, 3000, 10_000):
        x = _x(boards)
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{boards}</text>')
    for ms in (1, 10, 100, 1000, 10_000):
        y, colour = _y(ms), "#888" if ms == GOAL_MS else "#ddd"
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - 20}" y2="{y}" stroke="{colour}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{ms}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}" text-anchor="middle">boards</text>')
    parts.append(f'<text x="{LEFT}" y="18">99th percentile, ms (the goal is {GOAL_MS})</text>')
    return parts


def _line(place: int, name: str, points: list[tuple[int, float]]) -> str:
    colour = COLOURS[place % len(COLOURS)]
    path = " ".join(f"{_x(boards)},{_y(ms)}" for boards, ms in points)
    dots = "".join(
        f'<circle cx="{_x(boards)}" cy="{_y(ms)}" r="4" fill="{colour}"/>' for boards, ms in points
    )
    label = (
        f'<text x="{WIDTH - 24}" y="{TOP + 16 + 16 * place}" text-anchor="end" fill="{colour}">{name}</text>'
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{label}'
