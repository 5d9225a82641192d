"""All SQL: tables, transactions, and what is done in them. Knows neither HTTP nor the wire's field names.

A caller opens a transaction (`Database.read`, `Database.write`) and calls the modules' functions with its session;
refusals are raised as `dispctl.backend.refusals`. Races are decided by constraints, row locks and row counts, never by
what one process remembers.
"""
