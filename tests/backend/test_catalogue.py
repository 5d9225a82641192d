"""The names of spices that an operator is offered."""

from dispctl.backend.catalogue import USUAL_SPICES, catalogue


def test_the_usual_spices_are_always_there() -> None:
    assert catalogue([]) == list(USUAL_SPICES)


def test_an_operators_own_come_in_where_they_belong() -> None:
    names = catalogue(["Estragão", "çúmac"])

    assert names.index("Coentro") < names.index("Cominho") < names.index("çúmac") < names.index("Cúrcuma")
    assert names.index("Cúrcuma") < names.index("Estragão") < names.index("Gengibre")


def test_each_is_there_once_and_the_usual_spelling_wins() -> None:
    names = catalogue(["SAL", "curry", "Curry", "orégano "])

    assert [name for name in names if name.casefold().strip() in {"sal", "curry", "orégano"}] == [
        "curry",
        "Orégano",
        "Sal",
    ]
