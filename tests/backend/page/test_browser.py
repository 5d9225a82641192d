"""The page in a real Chromium: a job followed live, by the keyboard alone, on a phone, without its backend."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.backend.actors import PASSWORD, accepted, entry, jar, report
from tests.backend.page import browser as chromium
from tests.backend.page.browser import PHONE, browser, prefer
from tests.backend.page.kitchen import Kitchen, kitchen

pytestmark = pytest.mark.skipif(chromium.MISSING is not None, reason=str(chromium.MISSING))

DEADLINE_S = 20
MOST_TABS = 60
SMALLEST_TARGET_PX = 44
Found = TypeVar("Found")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path) as one:
        one.cook.add_recipe()
        yield one


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "profile"
    folder.mkdir()
    return folder


@pytest.fixture
def driver(profile: Path, running: Kitchen) -> Iterator[WebDriver]:
    """An English desktop browser in which Ana is signed in."""
    with browser(profile) as one:
        sign_in(one, running)
        yield one
        assert complaints(one) == []


def sign_in(driver: WebDriver, running: Kitchen) -> None:
    driver.get(running.url)
    driver.find_element(By.ID, "name").send_keys("Ana")
    driver.find_element(By.ID, "password").send_keys(PASSWORD, Keys.ENTER)
    wait(driver, lambda: driver.find_element(By.ID, "jars"), "the overview")


def complaints(driver: WebDriver) -> list[str]:
    """What the browser complained of: scripts that failed, and what the content security policy kept out."""
    return [line["message"] for line in driver.get_log("browser")]  # type: ignore[no-untyped-call]


def wait(driver: WebDriver, condition: Callable[[], Found], what: str) -> Found:
    """The first answer that holds; an element may go while it is looked at, because the page renews its parts."""
    waiting = WebDriverWait(driver, DEADLINE_S, 0.05, ignored_exceptions=[StaleElementReferenceException])
    try:
        return waiting.until(lambda _: condition())
    except TimeoutException:
        raise AssertionError(f"waited for {what}; seen: {text(driver, 'main')}") from None


def text(driver: WebDriver, selector: str) -> str:
    return str(
        driver.execute_script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
    )


def wait_for_state(driver: WebDriver, state: str) -> None:
    wait(driver, lambda: text(driver, "#job .state").strip() == state, f"the job: {state}")


def order(running: Kitchen) -> dict[str, Any]:
    job: dict[str, Any] = accepted(running.cook.order(1))
    return job


def fail_third(running: Kitchen, job: dict[str, Any]) -> None:
    entries = [entry(item) for item in job["itens"]]
    entries[2] = entry(job["itens"][2], "failed", "the jar is stuck")
    accepted(running.board.complete(job["id"], report(entries)))


def press(driver: WebDriver, *keys: str) -> None:
    ActionChains(driver).send_keys(*keys).perform()


def tab_to(driver: WebDriver, selector: str) -> WebElement:
    """Press the tabulator until the element has the focus, which has to be seen."""
    passed = []
    for _ in range(MOST_TABS):
        press(driver, Keys.TAB)
        focused = driver.switch_to.active_element
        if driver.execute_script("return document.activeElement.matches(arguments[0])", selector):
            assert focused.value_of_css_property("outline-style") == "solid"
            assert focused.is_displayed()
            return focused
        passed.append(f"{focused.tag_name} {focused.text!r}")
    raise AssertionError(f"no way to {selector} in {MOST_TABS} steps; passed {passed}")


def test_a_job_is_followed_live_to_partial_success_retried_and_cancelled(
    driver: WebDriver, running: Kitchen
) -> None:
    marked = driver.execute_script("window.loadedOnce = true; return window.loadedOnce")
    job = order(running)
    wait_for_state(driver, "Waiting for a board")
    accepted(running.board.next_job())
    wait_for_state(driver, "Pouring")
    wait(
        driver, lambda: driver.find_elements(By.CSS_SELECTOR, ".item[data-plan=pouring]"), "a bar that moves"
    )
    wait(driver, lambda: "left" in text(driver, ".remaining"), "the time that is left")
    assert low_contrast(driver) == []

    fail_third(running, job)

    wait_for_state(driver, "Partial success")
    assert low_contrast(driver) == []
    assert marked == driver.execute_script("return window.loadedOnce"), (
        "it was followed without loading the page"
    )
    items = [" ".join(item.text.split()) for item in driver.find_elements(By.CSS_SELECTOR, ".item")]
    assert [item.rsplit(" g ", 1)[1] for item in items] == [
        *("Poured", "Poured", "Failed Why: the jar is stuck", "Poured")
    ]
    assert text(driver, "#announcer") == "Job 1: Partial success. Cominho: the jar is stuck."
    stocks = [stock.text for stock in driver.find_elements(By.CSS_SELECTOR, ".stock")]
    assert stocks == ["90 g", "90 g", "100 g", "90 g"]

    driver.find_element(By.ID, "retry").click()
    wait_for_state(driver, "Waiting for a board")
    assert [item["tempero"] for item in running.cook.job(2)["itens"]] == ["Cominho"]

    driver.find_element(By.ID, "cancel").click()
    driver.find_element(By.ID, "cancel-now").click()
    wait_for_state(driver, "Cancelled")
    assert running.cook.job(2)["status"] == "canceled"


def test_the_outcome_comes_by_the_websocket(driver: WebDriver, running: Kitchen) -> None:
    job = order(running)
    accepted(running.board.next_job())
    driver.refresh()
    wait_for_state(driver, "Pouring")

    driver.execute_script(STOP_ASKING)
    fail_third(running, job)

    wait_for_state(driver, "Partial success")


def test_without_a_websocket_the_outcome_comes_by_asking(driver: WebDriver, running: Kitchen) -> None:
    driver.execute_script(BREAK_WEBSOCKETS)

    job = order(running)
    wait_for_state(driver, "Waiting for a board")
    accepted(running.board.next_job())
    wait_for_state(driver, "Pouring")
    fail_third(running, job)

    wait_for_state(driver, "Partial success")
    assert driver.execute_script("return window.socketsTried") > 0


def test_everything_is_done_by_the_keyboard_alone(profile: Path, running: Kitchen) -> None:
    with browser(profile) as driver:
        driver.get(running.url)
        press(driver, "Ana", Keys.TAB, PASSWORD, Keys.ENTER)  # the first field has the focus
        wait(driver, lambda: driver.find_element(By.ID, "jars"), "the overview")

        tab_to(driver, "a.skip")
        press(driver, Keys.ENTER)
        wait(driver, lambda: driver.switch_to.active_element.get_attribute("id") == "main", "the content")
        tab_to(driver, "#people-1")
        press(driver, Keys.CONTROL + "a" + Keys.NULL, "2", Keys.TAB, Keys.ENTER)
        wait_for_state(driver, "Waiting for a board")
        job = running.cook.job(1)
        assert job["pessoas_solicitadas"] == 2

        tab_to(driver, "#cancel")
        accepted(running.board.next_job())
        wait_for_state(driver, "Pouring")
        assert driver.switch_to.active_element.get_attribute("id") == "cancel", "the focus stays where it was"
        press(driver, Keys.SPACE)
        fail_third(running, job)
        wait_for_state(driver, "Partial success")
        assert driver.switch_to.active_element.get_attribute("id") == "job", "what was cancelled with is gone"

        tab_to(driver, "#retry")
        press(driver, Keys.ENTER)
        wait_for_state(driver, "Waiting for a board")
        tab_to(driver, "#cancel")
        press(driver, Keys.ENTER)
        tab_to(driver, "#cancel-now")
        press(driver, Keys.ENTER)
        wait_for_state(driver, "Cancelled")
        assert complaints(driver) == []


def test_on_a_phone_nothing_is_cut_off_too_small_to_touch_or_hard_to_read(
    profile: Path, running: Kitchen
) -> None:
    long = jar(1, "Pimenta-do-reino-moída-na-hora-extraforte", estoque_g=999_999.99)
    accepted(running.cook.client.put("/config/robo", json=[long]))
    amounts: dict[str, Any] = {long["rotulo"]: 1.0}
    running.cook.add_recipe(**amounts)
    accepted(running.cook.order(2))
    with browser(profile, language="pt-BR", phone=True) as driver:
        sign_in(driver, running)
        assert text(driver, "#job .state").strip() == "Esperando uma placa"
        for path in ("/", "/page/recipes", "/page/recipes/1", "/page/jars", "/page/boards", "/page/jobs"):
            driver.get(running.url + path)
            assert driver.execute_script("return document.documentElement.scrollWidth") <= PHONE[0], path
            assert too_small(driver) == [], path
            for scheme in ("light", "dark"):
                prefer(driver, scheme)
                assert low_contrast(driver) == [], (path, scheme)
        assert complaints(driver) == []


def test_a_backend_that_has_gone_is_said_and_its_return_too(driver: WebDriver, running: Kitchen) -> None:
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    order(running)
    wait_for_state(driver, "Waiting for a board")

    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    wait(driver, lambda: driver.find_element(By.ID, "lost").is_displayed(), "the warning")
    assert text(driver, "#lost").startswith("The backend does not answer. This is how it was at")

    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline | {"offline": False})
    wait(driver, lambda: not driver.find_element(By.ID, "lost").is_displayed(), "no warning any more")
    # The browser notes each request that failed; nothing else may be among its complaints.
    assert [line for line in complaints(driver) if "ERR_INTERNET_DISCONNECTED" not in line] == []


def test_a_session_that_ends_elsewhere_leads_to_the_sign_in(driver: WebDriver, running: Kitchen) -> None:
    cookie = driver.get_cookie("access_token")
    assert cookie is not None
    assert cookie["httpOnly"]
    running.board.client.cookies.set(cookie["name"], cookie["value"])
    accepted(running.board.client.post("/auth/logout"))

    wait(driver, lambda: driver.find_elements(By.ID, "password"), "the sign-in")


def too_small(driver: WebDriver) -> list[str]:
    """Buttons, fields and tabs that a finger would miss."""
    return list(
        driver.execute_script(
            "return [...document.querySelectorAll('button, input:not([type=hidden]), summary, .tabs a')]"
            ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < arguments[0] - 0.5)"
            ".map(e => e.outerHTML.slice(0, 80))",
            SMALLEST_TARGET_PX,
        )
    )


def low_contrast(driver: WebDriver) -> list[str]:
    """Texts with less than WCAG's 4.5 to 1 against the ground they stand on."""
    return list(driver.execute_script(LOW_CONTRAST))


STOP_ASKING = """
for (let timer = 0; timer < 10000; timer += 1) clearTimeout(timer);
window.setTimeout = () => 0;
"""

BREAK_WEBSOCKETS = """
window.socketsTried = 0;
window.WebSocket = class {
  static OPEN = 1;
  static CLOSED = 3;
  readyState = 3;
  constructor() { window.socketsTried += 1; setTimeout(() => this.onclose(), 0); }
  close() {}
};
"""

LOW_CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = numbers(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.getClientRects().length || element.closest("svg")) continue;
  const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) found.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
}
return found;
"""
