"""By kind of model: how a widget of it is moved from Python and in its view, and how one sees that each follows."""

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Locator

NOTHING = "() => true"
PAD = """() => {
    const buttons = [{ pressed: true, value: 1 }];
    const found = { id: "pad", connected: true, mapping: "standard", axes: [0.5], buttons };
    const pads = () => [0, 1].map((index) => ({ ...found, index, timestamp: performance.now() }));
    Object.defineProperty(navigator, "getGamepads", { value: pads });
}"""
FLAT = """el => {
    const boxes = [...el.querySelectorAll(".dot, .bar, .rect")].map((each) => each.getBoundingClientRect());
    const middles = [boxes.map(({ x, width }) => x + width / 2), boxes.map(({ y, height }) => y + height / 2)];
    return middles.some((each) => Math.max(...each) - Math.min(...each) < 5);
}"""
PERCENT = """el => {
    const { width, height } = el.querySelector(".progress-bar").style;
    return Math.round(parseFloat([width, height].find((each) => each && each !== "100%") ?? width));
}"""


class Kind(NamedTuple):
    """How a model is moved. In Python ``m`` is the model, and ``w`` the widget in whose view it shows.

    Attributes:
        says: Python: what the view has to show.
        shows: JavaScript, called with the view's element: what it shows.
        changes: Python: statements that change it, one after the other.
        act: done to the view, after which Python says something else. A kind that has none takes no input.
        before: Python: run first.
    """

    says: str
    shows: str
    changes: tuple[str, ...]
    act: Callable[[Locator], object] | None = None
    before: str = ""


def press(selector: str, key: str) -> Callable[[Locator], object]:
    return lambda view: view.locator(selector).first.press(key)


def click(selector: str) -> Callable[[Locator], object]:
    return lambda view: view.locator(selector).first.click()


def fill(selector: str, text: str) -> Callable[[Locator], object]:
    def act(view: Locator) -> None:
        view.locator(selector).first.fill(text)
        view.locator(selector).first.blur()

    return act


def choose(*indices: int) -> Callable[[Locator], object]:
    return lambda view: view.locator("select").select_option(index=list(indices))


def upload(view: Locator) -> None:
    with view.page.expect_file_chooser() as chooser:
        view.click()
    chooser.value.set_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": b"abc"}])


def plug_in(view: Locator) -> None:
    """Let the browser find a gamepad."""
    view.evaluate(PAD)


def text(selector: str) -> str:
    return f"el => el.querySelector('{selector}').textContent.trim()"


def field(selector: str = "input") -> str:
    return f"el => el.querySelector('{selector}').value"


def style(name: str, selector: str = "") -> str:
    element = f"el.querySelector('{selector}')" if selector else "el"
    return f"el => getComputedStyle({element}).{name}"


def words(written: str) -> str:
    """Whether a drawing has these words in it."""
    return f"el => [...el.querySelectorAll('text')].some(each => each.textContent === '{written}')"


def where(selector: str, flag: str) -> str:
    """The numbers of the elements for which that is true."""
    return f"el => [...el.querySelectorAll('{selector}')].flatMap((each, n) => each.{flag} ? [n] : [])"


def slider(says: str) -> Kind:
    shows = "el => Number(el.querySelector('.widget-readout').textContent.replace('\\u2212', '-').replaceAll(',', ''))"
    return Kind(says, shows, ("m.value = m.min", "m.value = m.max"), press(".noUi-handle", "Home"))


def range_slider() -> Kind:
    shows = "el => el.querySelector('.widget-readout').textContent.split('\\u2013').map(Number)"
    changes = "m.value = (m.min, m.min)", "m.value = (m.min, m.max)"
    says = "[float(format(each, m.readout_format)) for each in m.value]"
    return Kind(says, shows, changes, press(".noUi-handle", "ArrowRight"))


def progress() -> Kind:
    return Kind(
        "round(100 * (m.value - m.min) / (m.max - m.min))",
        PERCENT,
        ("m.value = m.min", "m.value = (m.min + m.max) / 2"),
    )


def number(low: str = "3", high: str = "4") -> Kind:
    shows = "el => Number(el.querySelector('input').value)"
    return Kind("float(m.value)", shows, (f"m.value = {low}", f"m.value = {high}"), fill("input", "1"))


def written(selector: str = "input") -> Kind:
    return Kind("m.value", field(selector), ("m.value = 'moved'", "m.value = 'again'"), fill(selector, "typed"))


def box() -> Kind:
    change = "m.children = (*m.children, __import__('ipywidgets').Label('moved'))"
    return Kind("len(m.children)", "el => el.childElementCount", (change,))


CHOICES = ("m.index = 0", "m.index = len(m.options) - 1")
GREY = "'rgb(1, 2, 3)'"


def styled(trait: str, shows: str) -> Kind:
    """A colour of a style."""
    return Kind(f"m.{trait}", shows, (f"m.{trait} = {GREY}", f"m.{trait} = 'rgb(4, 5, 6)'"))


def control(selector: str) -> Kind:
    """A control of a map, which ipyleaflet lets come and go."""
    return Kind("m in w.controls", f"el => el.querySelector('{selector}') !== null", ("w.remove(m)", "w.add(m)"))


LINK = Kind(
    "m.target[0].trait_values()[m.target[1]] == m.source[0].trait_values()[m.source[1]]",
    NOTHING,
    ("setattr(*m.source, 0)", "setattr(*m.source, 1)"),
)
MOVED = "'moved'"

KINDS = {
    "LayoutModel": Kind(
        "m.border_top.partition('solid ')[2]",
        style("borderTopColor"),
        (f"m.border_top = '1px solid ' + {GREY}", "m.border_top = '1px solid rgb(4, 5, 6)'"),
    ),
    "LinkModel": LINK,
    "DirectionalLinkModel": LINK,
    "IntSliderModel": slider("m.value"),
    "FloatSliderModel": slider("float(format(m.value, m.readout_format))"),
    "FloatLogSliderModel": slider("float(format(m.value, m.readout_format))")._replace(
        changes=("m.value = m.base**m.min", "m.value = m.base**m.max")
    ),
    "IntRangeSliderModel": range_slider(),
    "FloatRangeSliderModel": range_slider(),
    "SelectionSliderModel": Kind("m.label", text(".widget-readout"), CHOICES, press(".noUi-handle", "Home")),
    "SelectionRangeSliderModel": Kind(
        "'-'.join(m.label)",
        text(".widget-readout"),
        ("m.index = (0, 0)", "m.index = (0, len(m.options) - 1)"),
        press(".noUi-handle", "ArrowRight"),
    ),
    "IntProgressModel": progress(),
    "FloatProgressModel": progress(),
    "IntTextModel": number(),
    "FloatTextModel": number(),
    "BoundedIntTextModel": number("m.min", "m.max"),
    "BoundedFloatTextModel": number("m.min", "m.max"),
    "CheckboxModel": Kind(
        "m.value", "el => el.querySelector('input').checked", ("m.value = not m.value",), click("input")
    ),
    "ToggleButtonModel": Kind(
        "m.value", "el => el.classList.contains('mod-active')", ("m.value = not m.value",), lambda view: view.click()
    ),
    "ValidModel": Kind("m.value", "el => el.querySelector('.fa-check') !== null", ("m.value = not m.value",) * 2),
    "DropdownModel": Kind(
        "m.label",
        "el => el.querySelector('select').selectedOptions[0].text.replaceAll('\\u00a0', ' ')",
        CHOICES,
        choose(0),
    ),
    "RadioButtonsModel": Kind("[m.index]", where("input", "checked"), CHOICES, click("input")),
    "SelectModel": Kind("[m.index]", where("option", "selected"), CHOICES, choose(0)),
    "SelectMultipleModel": Kind(
        "list(m.index)", where("option", "selected"), ("m.index = (0,)", "m.index = (0, 1)"), choose(1)
    ),
    "ToggleButtonsModel": Kind(
        "[m.index]",
        where(".widget-toggle-button", "classList.contains('mod-active')"),
        CHOICES,
        click(".widget-toggle-button"),
    ),
    "TextModel": written(),
    "PasswordModel": written(),
    "TextareaModel": written("textarea"),
    "ComboboxModel": written()._replace(before="m.ensure_option = False"),
    "ColorPickerModel": Kind(
        "m.value",
        field("input[type=color]"),
        ("m.value = '#102030'", "m.value = '#405060'"),
        fill("input[type=color]", "#708090"),
    ),
    "DatePickerModel": Kind(
        "str(m.value)", field(), ("m.value = day(2020, 1, 2)", "m.value = day(2021, 3, 4)"), fill("input", "2022-05-06")
    ),
    "ButtonModel": Kind(
        "m.description",
        "el => el.textContent.trim()",
        (f"m.description = {MOVED}",),
        lambda view: view.click(),
        "m.on_click(lambda button: setattr(button, 'description', button.description + '!'))",
    ),
    "FileUploadModel": Kind(
        "f'{m.description} ({len(m.value)})'", "el => el.textContent.trim()", (f"m.description = {MOVED}",), upload
    ),
    "PlayModel": Kind(
        "m.playing",
        "el => el.querySelector('.fa-pause') !== null",
        ("m.playing = True", "m.playing = False"),
        click("button"),
    ),
    "ControllerModel": Kind("m.name", "el => el.textContent.includes('pad') && 'pad'", (), plug_in),
    "LabelModel": Kind("m.value", "el => el.textContent", (f"m.value = {MOVED}",)),
    "HTMLModel": Kind(
        "m.value", "el => el.querySelector('.widget-html-content').innerHTML", ("m.value = '<b>moved</b>'",)
    ),
    "HTMLMathModel": Kind("m.value.split('$')[1]", text(".katex annotation"), ("m.value = 'moved $x^2$'",)),
    "ImageModel": Kind(
        "size(m.value)",
        "async el => (await el.decode(), [el.naturalWidth, el.naturalHeight])",
        ("m.value = picture(7, 5)", "m.value = picture(8, 6)"),
    ),
    "AudioModel": Kind("m.loop", "el => el.loop && el.readyState > 0", ("m.loop = False", "m.loop = True")),
    "VideoModel": Kind(
        "m.loop",
        "el => el.loop && (el.readyState > 0 || el.src.startsWith('http'))",  # there is no network
        ("m.loop = False", "m.loop = True"),
    ),
    "BoxModel": box(),
    "HBoxModel": box(),
    "VBoxModel": box(),
    "GridBoxModel": box(),
    "TabModel": Kind(
        "[m.selected_index]",
        where(".lm-TabBar-tab", "classList.contains('lm-mod-current')"),
        ("m.selected_index = 0", "m.selected_index = len(m.children) - 1"),
        click(".lm-TabBar-tab"),
    ),
    "AccordionModel": Kind(
        "[m.selected_index]",
        where(".jupyter-widget-Collapse", "classList.contains('jupyter-widget-Collapse-open')"),
        ("m.selected_index = 0", "m.selected_index = len(m.children) - 1"),
        click(".jupyter-widget-Collapse-header"),
    ),
    "OutputModel": Kind("len(m.outputs)", "el => el.childElementCount", ("m.append_display_data('moved')",) * 2),
    "DOMWidgetModel EmailView": Kind("m.value", field(), ("m.value = 'a@moved.org'",), fill("input", "b@moved.org")),
    "ButtonStyleModel": styled("button_color", style("backgroundColor")),
    "CheckboxStyleModel": styled("background", style("backgroundColor")),
    "DescriptionStyleModel": Kind(
        "m.description_width",
        style("width", ".widget-label"),
        ("m.description_width = '61px'", "m.description_width = '62px'"),
    ),
    "SliderStyleModel": styled("handle_color", style("backgroundColor", ".noUi-handle")),
    "ProgressStyleModel": styled("bar_color", style("backgroundColor", ".progress-bar")),
    "TextStyleModel": styled("text_color", style("color", "input, textarea")),
    "LabelStyleModel": styled("text_color", style("color")),
    "HTMLStyleModel": styled("text_color", style("color")),
    "HTMLMathStyleModel": styled("text_color", style("color")),
    "ToggleButtonStyleModel": styled("text_color", style("color")),
    "ToggleButtonsStyleModel": Kind(
        "m.button_width",
        style("width", ".widget-toggle-button"),
        ("m.button_width = '61px'", "m.button_width = '62px'"),
    ),
    "FigureModel": Kind("m.title", text(".mainheading"), (f"m.title = {MOVED}",)),
    "AxisModel": Kind("m.label == 'moved'", words("moved"), (f"m.label = {MOVED}",)),
    "OrdinalScaleModel": Kind("'moved' in m.domain", words("moved"), ("m.domain = ['moved', *range(9)]",)),
    "LinearScaleModel": Kind(
        "any(getattr(each, 'max', None) == 4000 for each in w.marks[0].scales.values())",
        FLAT,
        ("for each in w.marks[0].scales.values():\n    each.min, each.max = -4000, 4000",),
    ),
    "BarsModel": Kind("m.colors[0]", style("fill", ".bar"), (f"m.colors = [{GREY}]",)),
    "HistModel": Kind("m.colors[0]", style("fill", ".rect"), (f"m.colors = [{GREY}]",)),
    "ScatterModel": Kind("m.colors[0]", style("fill", ".dot"), (f"m.colors = [{GREY}]",)),
    "LeafletMapModel": Kind(
        "m.zoom",
        "el => Number([...el.querySelectorAll('.leaflet-tile')].at(-1).src.split('/')[3])",
        ("m.zoom = 3", "m.zoom = 4"),
        click(".leaflet-control-zoom-in"),
    ),
    "LeafletMapStyleModel": Kind(
        "w.style.cursor",
        style("cursor", ".leaflet-container"),
        ("w.style.cursor = 'help'", "w.style.cursor = 'wait'"),
    ),
    "LeafletTileLayerModel": Kind(
        "m.opacity",
        "el => Number(el.querySelector('.leaflet-layer').style.opacity)",
        ("m.opacity = 0.25", "m.opacity = 0.5"),
    ),
    "LeafletZoomControlModel": control(".leaflet-control-zoom"),
    "LeafletAttributionControlModel": control(".leaflet-control-attribution"),
}
"""All kinds that there are in the notebooks of ipywidgets."""
