"""Makes operators without HTTP: for whoever runs the backend."""

from pydantic import ValidationError

from dispctl.backend.refusals import Refusal
from dispctl.backend.schemas.accounts import Credentials
from dispctl.backend.security import Passwords
from dispctl.backend.settings import utc_now
from dispctl.backend.store import operators
from dispctl.backend.store.database import Database


def register(database: Database, name: str, password: str) -> int:
    """A new operator's id. Raises `NameTakenError`, and `Refusal` for what registering over HTTP refuses, too."""
    try:
        credentials = Credentials(nome=name, senha=password)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refusal(f"{first['loc'][0]}: {first['msg']}.") from error
    password_hash = Passwords().hash(credentials.senha)
    with database.write() as session:
        return operators.add(session, credentials.nome, password_hash, utc_now()).id
