/** The heavy libraries that frames run. Each is one classic script (see `build/frames.ts`) that defines one global. */
export const LIBRARIES = {
  plotly: { global: "Plotly", warm: true },
  vega: { global: "ipywebVega", warm: true },
  katex: { global: "ipywebKatex", warm: false },
  markdown: { global: "ipywebMarkdown", warm: false },
  widgets: { global: "ipywebWidgets", warm: false },
  pdf: { global: "ipywebPdf", warm: false },
  screenshot: { global: "ipywebScreenshot", warm: false },
} as const satisfies Record<string, Library>;

export interface Library {
  /** The name of the global that the script defines. */
  global: string;
  /** Whether compiling it is slow enough that a spare frame is kept which has it loaded. */
  warm: boolean;
}

export type LibraryName = keyof typeof LIBRARIES;
