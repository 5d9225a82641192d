"""What the commands do, as generators of events; no Typer, no printing, no knowledge of the virtual board."""
