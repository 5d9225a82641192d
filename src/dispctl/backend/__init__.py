"""The embedded backend: boards and operators over HTTP, everything kept in one database.

It keeps to the contract of the deployed backend (docs/backend.md lists where it is safer) and knows nothing of the
tool: the two meet over HTTP only. Routes speak HTTP, ``schemas`` the wire's Portuguese field names, ``plan`` and
``report`` are pure, ``store`` alone speaks SQL.
"""
