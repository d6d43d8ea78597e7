"""The running product with documents and a site, and a real Chromium that is signed in to its console."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bankai.client import Access, Client, OutgoingDocument
from bankai.loopback import HOST, free_ports
from bankai.progress.v1 import progress_pb2
from tests.services.progress_monitor.serving import project, sample, stamp
from tools.chromium_setup import missing

selenium = pytest.importorskip("selenium", reason="needs the development requirements")
webdriver: Any = pytest.importorskip("selenium.webdriver")

ROOT = Path(__file__).parents[2]
DOCUMENT = Path(str(files("services.doc_extract.cli"))) / "samples" / "approval_notice.pdf"
HOSTILE = '<img src=x onerror="document.title=1">.pdf'
READY = "bankai is up: "
# Without the flags about the background, Chromium looks for hosts of its maker's.
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1360,900 --lang=en-US"
)


@dataclass(frozen=True)
class Product:
    """Where it runs, and the key of its one channel."""

    http: str
    key: str
    login: str


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    if missing():
        pytest.skip(f"there is no {' and no '.join(missing())}: make chromium")
    folder = tmp_path_factory.mktemp("console")
    http = f"{HOST}:{free_ports(1)[0]}"
    command = [sys.executable, "-c", "from bankai.cli.app import main; main()", "up", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BANKAI_GATEWAY_HTTP__LISTEN": http}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env=environment)
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if READY in line).split(READY)[1].split()[0]
        key = (folder / "var" / "dev" / "api-key").read_text().strip()
        _fill(Access(address, api_key=key))
        login = next(line for line in process.stdout if "#login=" in line).split("#login=")[1].split()[0]
        yield Product(f"http://{http}", key, login)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _fill(access: Access) -> None:
    data = DOCUMENT.read_bytes()
    with Client(access) as client:
        client.documents.extract(OutgoingDocument(data, DOCUMENT.name))
        client.documents.extract(OutgoingDocument(data, HOSTILE))
        client.progress.register(project("hangar-7", name="Hangar 7"))
        for number in (0, 12, 23):
            picture = sample().pictures[number]
            config = progress_pb2.ObservationConfig(
                project_id="hangar-7", acquire_time=stamp(picture.time), sensor=progress_pb2.SENSOR_SENTINEL2_L2A
            )
            client.progress.observe(config, picture.path)


@pytest.fixture
def browser(product: Product) -> Iterator[Any]:
    """A Chromium that nobody is signed in with. At the end it must have complained of nothing."""
    options = webdriver.ChromeOptions()
    for flag in _FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.implicitly_wait(20)
        yield driver
        # Asking who is signed in, before anybody is, is answered with 401, which the browser notes.
        said = [entry for entry in driver.get_log("browser") if "/console/session" not in entry["message"]]
        assert [entry for entry in said if entry["level"] == "SEVERE"] == [], json.dumps(said)
    finally:
        driver.quit()


@pytest.fixture
def signed_in(browser: Any, product: Product) -> Any:
    """The same, signed in with the channel's key."""
    browser.get(f"{product.http}/console/")
    browser.find_element("name", "credential").send_keys(product.key + "\n")
    browser.find_element("css selector", ".bar nav a")
    return browser
