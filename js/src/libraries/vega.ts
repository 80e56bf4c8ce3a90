import embed from "vega-embed";

export { embed };
