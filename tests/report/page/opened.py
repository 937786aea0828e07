"""A page that is open in chromium."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page


class Opened:
    """The page as it is open, and whatever the browser complains of."""

    def __init__(
        self,
        browser: Browser,
        file: Path,
        width: int = 1400,
        scheme: Literal["light", "dark"] = "light",
        script: str = "",
    ) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(script)
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    @property
    def ticks(self) -> dict[str, float]:
        """Of the axis, where each label stands within the plot."""
        found: dict[str, float] = self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll(".axis .tick")].map((tick) => [
                tick.textContent,
                tick.getBoundingClientRect().x + tick.getBoundingClientRect().width / 2,
            ]))"""
        )
        return found

    @property
    def span(self) -> tuple[float, float]:
        """The stretch of time that is shown, in seconds."""
        first, last = self.page.evaluate("Object.values(document.querySelector('.plot').dataset).map(Number)")
        return first, last

    @property
    def story(self) -> str:
        return self.page.locator(".story").inner_text()

    def x_of(self, time_s: float) -> float:
        (first, from_x), *_, (last, to_x) = self.ticks.items()
        from_s, to_s = (float(label.removesuffix(" s").replace(",", "")) for label in (first, last))
        return from_x + (time_s - from_s) / (to_s - from_s) * (to_x - from_x)

    def point_at(self, time_s: float, text: str) -> None:
        """Move the pointer down the canvas at that time until the tip says so."""
        canvas = self.page.locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        for y in range(int(box["height"])):
            self.page.mouse.move(self.x_of(time_s), box["y"] + y)
            tip = self.page.locator(".tip")
            if tip.is_visible() and text in tip.inner_text():
                return
        raise AssertionError(f"nothing at {time_s} s says {text!r}")
