/** Colours and type inside frames. The same values as in `app.css`, which frames cannot see. */
const THEME = `
:root { color-scheme: light; --stage: #fff; --ink: #1f2328; --muted: #6b7280; --line: #dfe1e5; --wash: #f5f6f7; --accent: #2f5fd0;
  --string: #0a6b3d; --number: #9a4a00; --literal: #7a3fb0; }
:root[data-theme=dark] { color-scheme: dark; --stage: #17181b; --ink: #e3e5e8; --muted: #949aa4; --line: #34373d; --wash: #212328; --accent: #86a9f7;
  --string: #7fcf9d; --number: #e5a867; --literal: #c39cf0; }
html { color: var(--ink); font: 14px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
code, pre, kbd, samp { font-family: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .93em; }
a { color: var(--accent); }
`;

const TABLES = `
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: right; vertical-align: middle; border: 0; }
thead tr { border-bottom: 1px solid var(--line); }
tbody tr + tr { border-top: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
tbody tr:hover { background: var(--wash); }
th { font-weight: 600; }
table.dataframe { border: 0; }
table.dataframe tbody th { color: var(--muted); font-weight: 400; }
`;

const PROSE = `
h1, h2, h3, h4 { line-height: 1.25; margin: 1.4em 0 .5em; font-weight: 650; }
h1 { font-size: 1.7em; } h2 { font-size: 1.35em; } h3 { font-size: 1.12em; }
:is(h1, h2, h3, h4, p, ul, ol, pre, table):first-child { margin-top: 0; }
pre { padding: 12px 14px; background: var(--wash); border-radius: 6px; overflow: auto; }
code { padding: .12em .3em; background: var(--wash); border-radius: 4px; }
pre code { padding: 0; background: none; }
blockquote { margin: 1em 0; padding-left: 1em; border-left: 3px solid var(--line); color: var(--muted); }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.6em 0; }
img { max-width: 100%; }
`;

/** For an HTML fragment: what a page without styles of its own should look like. */
export const FRAGMENT_STYLES = `${THEME}${TABLES}body { margin: 20px 24px; }`;

/** For everything that the frame draws itself. */
export const FRAME_STYLES = `${THEME}${TABLES}
html, body { height: 100%; }
body { margin: 0; }
#output { box-sizing: border-box; min-height: 100%; }
#output.fill { height: 100%; overflow: hidden; }
#output.center { display: grid; place-content: safe center; place-items: safe center; padding: 16px; }
#output.center > div { overflow: visible; }
#output.sheet { padding: 24px 28px; }
#output.paper > * { background: #fff; color: #000; border-radius: 3px; }
#output.prose { padding: 28px 32px 48px; max-width: 74ch; margin: 0 auto; font-size: 15px; line-height: 1.62; }
${PROSE.replace(/^(?=\S)/gm, "#output.prose ")}
#output pre.error { margin: 24px 28px; white-space: pre-wrap; color: light-dark(#b3261e, #f2a19a); }
#output .vega-embed.has-actions { padding-right: 0; }
#output .vega-embed details { opacity: 0; } #output .vega-embed:is(:hover, :focus-within) details { opacity: 1; }
`;
