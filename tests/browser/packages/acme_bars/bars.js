/** Draws bars as SVG. Returns how to let go of what it holds; here, to follow the size no more. */
export function render(el, { bytes, metadata }) {
  const { heights } = JSON.parse(new TextDecoder().decode(bytes));
  const follow = new ResizeObserver(() => el.replaceChildren(drawing(el, heights, metadata.colour)));
  follow.observe(el);
  el.replaceChildren(drawing(el, heights, metadata.colour));
  return () => follow.disconnect();
}

function drawing({ clientWidth, clientHeight }, heights, colour) {
  const svg = element("svg", { width: clientWidth, height: clientHeight, role: "img", "aria-label": `Bars: ${heights.join(", ")}` });
  const [unit, width] = [clientHeight / Math.max(...heights), clientWidth / heights.length];
  svg.style.display = "block";
  svg.append(...heights.map((height, i) => element("rect", { x: i * width, y: clientHeight - height * unit, width: width - 4, height: height * unit, fill: colour })));
  return svg;
}

function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
