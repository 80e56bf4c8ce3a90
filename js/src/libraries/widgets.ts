import icons from "font-awesome/css/font-awesome.min.css?inline";
import base from "@jupyter-widgets/base/css/index.css?inline";
import controls from "@jupyter-widgets/controls/css/widgets-base.css?inline";
import lumino from "@lumino/widgets/style/index.css?inline";
import { WIDGET_STYLES } from "../widgets/styles.ts";

export { KeptWidgets } from "../widgets/kept.ts";
export { Line } from "../widgets/line.ts";
export { Manager } from "../widgets/manager.ts";

export const styles = [icons, lumino, base, controls, WIDGET_STYLES].join("\n");
