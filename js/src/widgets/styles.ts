/** How widgets look: what JupyterLab's themes give to them (`--jp-…`), in the frame's own colours, light and dark. */
export const WIDGET_STYLES = `
:root { --jp-border-width: 1px; --jp-border-radius: 4px;
  --jp-border-color0: var(--muted); --jp-border-color1: color-mix(in srgb, var(--muted) 55%, var(--line)); --jp-border-color2: var(--line); --jp-border-color3: var(--line);
  --jp-layout-color0: var(--stage); --jp-layout-color1: var(--stage); --jp-layout-color2: var(--wash); --jp-layout-color3: var(--line); --jp-layout-color4: var(--muted);
  --jp-ui-font-color0: var(--ink); --jp-ui-font-color1: var(--ink); --jp-ui-font-color2: var(--muted); --jp-ui-font-color3: var(--muted);
  --jp-content-font-color0: var(--ink); --jp-content-font-color1: var(--ink); --jp-content-font-color2: var(--muted); --jp-content-font-color3: var(--muted);
  --jp-ui-inverse-font-color0: var(--stage); --jp-ui-inverse-font-color1: var(--stage); --jp-ui-inverse-font-color2: var(--wash); --jp-ui-inverse-font-color3: var(--line);
  --jp-inverse-ui-font-color0: var(--stage); --jp-inverse-ui-font-color1: var(--stage);
  --jp-inverse-layout-color0: var(--ink); --jp-inverse-layout-color1: var(--ink); --jp-inverse-layout-color2: var(--muted); --jp-inverse-layout-color3: var(--muted);
  --jp-ui-font-family: inherit; --jp-content-font-family: inherit; --jp-code-font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --jp-ui-font-size0: 11px; --jp-ui-font-size1: 13px; --jp-ui-font-size2: 15px; --jp-ui-font-size3: 18px; --jp-content-font-size1: 14px; --jp-code-font-size: 13px;
  --jp-brand-color0: color-mix(in srgb, var(--accent) 80%, var(--ink)); --jp-brand-color1: var(--accent); --jp-brand-color2: color-mix(in srgb, var(--accent) 60%, var(--stage)); --jp-brand-color3: color-mix(in srgb, var(--accent) 20%, var(--stage));
  --jp-accent-color0: var(--jp-success-color0); --jp-accent-color1: var(--jp-success-color1); --jp-accent-color2: var(--jp-success-color2); --jp-accent-color3: var(--jp-success-color3);
  --jp-success-color0: light-dark(#176d3d, #9be3b5); --jp-success-color1: light-dark(#1a7a45, #7fcf9d); --jp-success-color2: light-dark(#6fb88d, #4c8f66); --jp-success-color3: light-dark(#d5ecdf, #223a2d);
  --jp-warn-color0: light-dark(#8a4a00, #f2cc85); --jp-warn-color1: light-dark(#a85b00, #e0b566); --jp-warn-color2: light-dark(#e0a860, #96793f); --jp-warn-color3: light-dark(#f7e6d0, #3a3020);
  --jp-error-color0: light-dark(#a5231b, #ff9d95); --jp-error-color1: light-dark(#c0322b, #f08078); --jp-error-color2: light-dark(#e08a85, #a0554f); --jp-error-color3: light-dark(#f9dcda, #40262a);
  --jp-info-color0: light-dark(#0c5f6c, #90dde8); --jp-info-color1: light-dark(#0f7585, #71c9d6); --jp-info-color2: light-dark(#6fb4bf, #43808a); --jp-info-color3: light-dark(#d3ebef, #1f373b);
  --jp-widgets-dropdown-arrow: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E%3Cpath fill='none' stroke='%23808791' stroke-width='1.8' d='M5.5 7.5 9 11l3.5-3.5'/%3E%3C/svg%3E");
  --ansi-0: light-dark(#1f2328, #5c616b); --ansi-1: light-dark(#c0322b, #f08078); --ansi-2: light-dark(#1a7a45, #7fcf9d); --ansi-3: light-dark(#94650a, #e0b566);
  --ansi-4: light-dark(#2556c4, #86a9f7); --ansi-5: light-dark(#8a3aa8, #d09be8); --ansi-6: light-dark(#0f7585, #71c9d6); --ansi-7: light-dark(#6b7280, #c6cad0);
  --ansi-8: light-dark(#6b7280, #7d828c); --ansi-9: light-dark(#d8453d, #ff9d95); --ansi-10: light-dark(#23935a, #9be3b5); --ansi-11: light-dark(#a8740f, #f2cc85);
  --ansi-12: light-dark(#3f6fe0, #a6c0ff); --ansi-13: light-dark(#a352c2, #e2b8f5); --ansi-14: light-dark(#148a9c, #90dde8); --ansi-15: light-dark(#9aa0a8, #f4f5f6); }
#output.widgets { position: relative; padding: 20px 24px; }
#output.widgets > .condition { margin: 0 0 12px; font-size: 12px; color: var(--muted); }
#output.widgets::after { content: ""; position: absolute; top: 8px; right: 10px; width: 8px; height: 8px; border-radius: 50%; background: var(--accent); opacity: 0; transition: opacity .15s; }
#output.widgets.busy::after { opacity: 1; animation: ipyweb-busy 1s ease-in-out infinite alternate; }
#output.widgets .jupyter-widgets-disconnected::before { content: none; }
#output.widgets pre.error { margin: 0; }
#output.widgets .noUi-connect { background: var(--accent); }
.jupyter-widgets-output-area { position: relative; min-width: 0; }
.jupyter-widgets-output-area > .output { min-width: 0; overflow-x: auto; }
.jupyter-widgets-output-area > .output.coming { position: absolute; inset-inline: 0; visibility: hidden; }
.jupyter-widgets-output-area pre.text { margin: 0; padding: 2px 0; white-space: pre-wrap; font-size: 13px; line-height: 1.4; }
.jupyter-widgets-output-area pre.text.stderr { padding: 4px 8px; border-radius: 4px; background: var(--jp-error-color3); }
.jupyter-widgets-output-area img { max-width: 100%; }
.jupyter-widgets :is(button, input, select, textarea) { font-family: inherit; }
.jupyter-widgets.jupyter-button, .jupyter-widgets .jupyter-button { border-radius: 5px; }
.jupyter-widgets.jupyter-button.mod-active, .jupyter-widgets .jupyter-button.mod-active { box-shadow: inset 0 0 0 1px var(--jp-border-color1); }
.jupyter-widgets .progress { border-radius: 4px; overflow: hidden; }
.ansi-bold { font-weight: 650; } .ansi-dim { opacity: .65; } .ansi-italic { font-style: italic; } .ansi-underline { text-decoration: underline; }
.ansi-strike { text-decoration: line-through; } .ansi-inverse { filter: invert(1); background: var(--stage); }
@keyframes ipyweb-busy { to { opacity: .3; } }
@media (prefers-reduced-motion: reduce) { #output.widgets.busy::after { animation: none; } }
`;
