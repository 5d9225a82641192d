"""Takes the documentation's pictures of the operator's page: ``python -m tests.backend.page.pictures [FOLDER]``."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.backend.actors import PASSWORD, accepted, entry, jar, report
from tests.backend.page.browser import DESKTOP, PHONE, browser, picture
from tests.backend.page.kitchen import DEADLINE_S, Kitchen, kitchen

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
WORDS = {
    "en": ("Salt", "Pepper", "Cumin", "Oregano", "Chicken for Sunday", "Beans", "the jar is stuck"),
    "pt": ("Sal", "Pimenta", "Cominho", "Orégano", "Frango de domingo", "Feijão", "o frasco emperrou"),
}
VIEWS = (("desktop", False), ("phone", True))


def take_pictures(folder: Path) -> None:
    """Desktop and phone, both languages, of a job being poured and of one that succeeded in part."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in WORDS:
        with tempfile.TemporaryDirectory() as place, kitchen(Path(place)) as running:
            recipe_id = _furnish(running, language)
            job = accepted(running.cook.order(recipe_id))
            accepted(running.board.next_job())
            _take(folder, running, language, "pouring")
            _end(running, job, WORDS[language][-1])
            _take(folder, running, language, "partial")


def _furnish(running: Kitchen, language: str) -> int:
    *spices, sunday, beans, _ = WORDS[language]
    stocks = zip(spices, (182.5, 64.0, 9.0, 120.0), strict=True)
    jars = [
        jar(number, spice, estoque_g=stock, g_por_seg=1.2) for number, (spice, stock) in enumerate(stocks, 1)
    ]
    accepted(running.cook.client.put("/config/robo", json=jars))
    _add_recipe(running, beans, 6, {spices[0]: 12.0, spices[2]: 15.0})
    return _add_recipe(running, sunday, 4, dict(zip(spices, (10.0, 4.0, 6.0, 8.0), strict=True)))


def _add_recipe(running: Kitchen, name: str, portions: int, amounts: dict[str, float]) -> int:
    rows = [{"tempero": spice, "quantidade": amount} for spice, amount in amounts.items()]
    body = {"nome": name, "porcoes": portions, "ingredientes": rows}
    return int(accepted(running.cook.client.post("/receitas/", json=body))["id"])


def _end(running: Kitchen, job: dict[str, Any], reason: str) -> None:
    entries = [entry(item) for item in job["itens"]]
    entries[2] = entry(job["itens"][2], "failed", reason)
    accepted(running.board.complete(job["id"], report(entries)))


def _take(folder: Path, running: Kitchen, language: str, name: str) -> None:
    for view, phone in VIEWS:
        with (
            tempfile.TemporaryDirectory() as profile,
            browser(Path(profile), language=language, phone=phone) as driver,
        ):
            _sign_in(driver, running)
            if name == "pouring":
                _wait_for_second_item(driver)
            file = folder / f"operator-page-{name}-{view}-{language}.png"
            file.write_bytes(picture(driver, (PHONE if phone else DESKTOP)[0]))
            print(f"{file} ({file.stat().st_size / 1024:.0f} KiB)")


def _sign_in(driver: WebDriver, running: Kitchen) -> None:
    driver.get(running.url)
    driver.find_element(By.ID, "name").send_keys("Ana")
    driver.find_element(By.ID, "password").send_keys(PASSWORD)
    driver.find_element(By.CSS_SELECTOR, "main button").click()
    WebDriverWait(driver, DEADLINE_S).until(lambda shown: shown.find_elements(By.ID, "jars"))


def _wait_for_second_item(driver: WebDriver) -> None:
    second = "li.item:nth-child(n+2)[data-plan=pouring]"
    WebDriverWait(driver, DEADLINE_S).until(lambda shown: shown.find_elements(By.CSS_SELECTOR, second))


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
