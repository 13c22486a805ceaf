"""A real browser for tests of pages; they are skipped where there is none."""

import shutil
import time
from pathlib import Path

import pytest

CHROMIUM = ('chromium', 'chromium-browser', 'google-chrome')
FLAGS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
)


def start_chromium(profile: Path, downloads: Path):
    """Start Chromium on a fresh profile; the caller quits it.

    The path of the driver is given, so that selenium looks for none to download.
    """
    webdriver = pytest.importorskip('selenium.webdriver', reason='needs selenium')
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which('chromedriver')
    if browser is None or driver is None:
        pytest.skip('needs Chromium and chromedriver (apt-get install chromium-driver)')
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f'--user-data-dir={profile}'):
        options.add_argument(flag)
    options.add_experimental_option(
        'prefs', {'download.default_directory': str(downloads)}
    )
    # What a page asks for and what goes wrong in it.
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=driver)
    )


def press(driver, keys) -> None:
    """Press keys, one after the other, wherever the focus is."""
    for key in keys:
        driver.switch_to.active_element.send_keys(key)


def saved(driver, downloads: Path, selector: str) -> Path:
    """Click a button that saves a file, and wait until it is there as a whole.

    Chromium reserves the name with an empty file, writes to another beside it and
    takes both away if it is closed before the end.
    """
    before = set(downloads.iterdir())
    driver.find_element('css selector', selector).click()
    for _ in range(400):
        new = set(downloads.iterdir()) - before
        if len(new) == 1:
            (path,) = new
            if path.suffix in ('.json', '.csv') and path.stat().st_size:
                return path
        time.sleep(0.05)
    raise AssertionError(f'nothing was saved; new: {sorted(new)}')
