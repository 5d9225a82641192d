"""The only Typer and Rich code: a module a command, each parsing, calling an operation and showing its events."""
