"""The console in a real Chromium: each page's main story."""

import time
from typing import Any

import pytest

from tests.browser.conftest import HOSTILE, ROOT, Product
from tools.console_stamp import STAMP, stamp

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CSS = "css selector"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"


def texts(browser: Any, selector: str) -> list[str]:
    """Texts of elements, read at one moment: the page may draw them anew at any time."""
    read = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)"
    return list(browser.execute_script(read, selector))


def until(condition: Any) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def press(browser: Any, keys: str) -> None:
    browser.find_element(CSS, "body").send_keys(keys)


def accessible(browser: Any) -> None:
    """Nothing that axe-core finds; it comes with `make console`."""
    if AXE.exists():
        browser.execute_script(AXE.read_text(encoding="utf-8"))
        found = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_a_one_time_login_signs_in_once_and_leaves_the_address(browser: Any, product: Product) -> None:
    browser.get(f"{product.http}/console/#login={product.login}")
    until(lambda: texts(browser, ".bar nav a") == ["Documents", "Sites"])
    assert "login" not in browser.current_url
    browser.find_element("xpath", "//button[text()='Sign out']").click()
    assert browser.find_element("name", "credential")
    accessible(browser)
    browser.get(f"{product.http}/console/?again#login={product.login}")
    assert "used before" in browser.find_element(CSS, "[role=alert]").text


def test_a_document_is_found_reviewed_and_nothing_in_its_name_runs(signed_in: Any) -> None:
    browser = signed_in
    until(lambda: len(texts(browser, ".tall .row a")) == 2)
    assert HOSTILE in texts(browser, ".tall .row a")
    assert browser.title == "bankai"
    accessible(browser)
    browser.find_element(CSS, "[type=search]").send_keys("notice.pdf")
    until(lambda: texts(browser, ".tall .row a") == ["approval_notice.pdf"])
    browser.find_element(CSS, ".tall .row a").click()

    assert "7580000.00" in browser.find_element(CSS, ".findings").text
    first = browser.find_element(CSS, ".values li")
    assert "To review" in first.text
    browser.find_element("id", "reviewer").send_keys("li.si")
    browser.execute_script("document.activeElement.blur()")
    press(browser, "j")
    until(lambda: "chosen" in (browser.find_element(CSS, ".values li").get_attribute("class") or ""))
    assert browser.find_element(CSS, ".mark.chosen")
    accessible(browser)
    before = len([text for text in texts(browser, ".values li") if "To review" in text])
    press(browser, "\n")
    until(lambda: len([text for text in texts(browser, ".values li") if "To review" in text]) == before - 1)
    assert "Reviewed 1 times" in texts(browser, ".tools .quiet")
    browser.refresh()  # it is kept
    until(lambda: "Reviewed 1 times" in texts(browser, ".tools .quiet"))


def test_a_place_on_the_page_leads_to_its_field(signed_in: Any) -> None:
    browser = signed_in
    browser.find_element(CSS, ".tall .row a").click()
    mark = browser.find_elements(CSS, ".mark")[-1]
    browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", mark)
    name = str(mark.get_attribute("aria-label")).partition(":")[0]
    until(lambda: name in browser.find_element(CSS, ".values li.chosen").text)


def test_a_site_is_seen_with_its_curve_and_its_pictures(signed_in: Any) -> None:
    browser = signed_in
    browser.find_element("link text", "Sites").click()
    browser.find_element("link text", "Hangar 7").click()
    assert browser.find_element(CSS, ".curve polyline.seen").get_attribute("points")
    until(lambda: len(browser.find_elements(CSS, ".over img")) == 3)
    pictures = browser.find_elements(CSS, ".over img")
    until(lambda: all(browser.execute_script("return arguments[0].naturalWidth", each) > 50 for each in pictures))
    assert texts(browser, "tbody tr td:nth-child(2)") == ["Used"] * 3
    accessible(browser)


def test_chinese_and_english(signed_in: Any) -> None:
    browser = signed_in
    browser.find_element("xpath", "//button[text()='中文']").click()
    until(lambda: texts(browser, ".bar nav a") == ["授信文件", "工程项目"])
    assert browser.find_element(CSS, "html").get_attribute("lang") == "zh"
    browser.refresh()
    until(lambda: texts(browser, ".bar nav a") == ["授信文件", "工程项目"])


def test_the_built_pages_are_those_of_the_sources() -> None:
    """`make console` writes a hash of the sources beside what it builds."""
    assert STAMP.read_text(encoding="utf-8").strip() == stamp()
