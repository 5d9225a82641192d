"""Erases and bytes programmed, beside two other ways of saving, in one run: `python -m tests.firmware.measure.wear`."""

from __future__ import annotations

from tests.firmware.measure.interpreter import run_script


def main() -> None:
    """Print the table."""
    print("| job | way | erases an item | erases a second | bytes an item | bytes a second |")
    print("|---|---|---|---|---|---|")
    for row in run_script("wear"):
        job = f"{row['items']} of {row['seconds']:g} s"
        erases = f"{row['erases_per_item']:.3f} | {row['erases_per_second']:.4f}"
        print(
            f"| {job} | {row['way']} | {erases} | {row['bytes_per_item']:.0f} | {row['bytes_per_second']:.0f} |"
        )


if __name__ == "__main__":
    main()
