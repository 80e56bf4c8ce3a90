import katex from "katex";
import styles from "katex/dist/katex.min.css?inline";

export { katex, styles };
