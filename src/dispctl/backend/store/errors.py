"""What can be wrong with a database before anything is asked of it."""


class UnusableDatabaseError(Exception):
    """The database's URL cannot be used, or the database cannot be opened; the text says why in one sentence."""


class NewerDatabaseError(UnusableDatabaseError):
    """A newer version of the program has been at the database."""


class MissingDriverError(UnusableDatabaseError):
    """The package that speaks to this kind of database is not installed."""
