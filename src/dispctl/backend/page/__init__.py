"""The operator's page at ``/``: HTML forms over the same store that the contract's calls use. Knows no SQL.

Every page works without JavaScript; with it, `static/page.js` keeps what is shown up to date.
"""
