"""What the database is asked with and how it is reached stay out of messages and logs."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dispctl.backend.store.database import Database, parse_url
from dispctl.backend.store.errors import UnusableDatabaseError

SECRET = "S3CRET"


@pytest.mark.parametrize(
    "url",
    [f"postgresql//disp:{SECRET}@h/x", f"postgresql://disp:{SECRET}@h:port/x", f"mysql://disp:{SECRET}@h/x"],
)
def test_a_url_that_cannot_be_meant_is_not_repeated(url: str) -> None:
    with pytest.raises(UnusableDatabaseError) as refused:
        parse_url(url)
    assert SECRET not in str(refused.value)


def test_a_failing_statement_does_not_tell_its_parameters(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    try:
        with pytest.raises(Exception) as failed, database.read() as session:  # noqa: PT011 - whichever it is, it keeps quiet
            session.execute(text("SELECT * FROM nothing WHERE hash = :hash"), {"hash": SECRET})
    finally:
        database.close()
    chain = [failed.value, failed.value.__cause__]
    assert any(isinstance(error, DBAPIError) for error in chain)
    assert not [error for error in chain if SECRET in str(error)]
