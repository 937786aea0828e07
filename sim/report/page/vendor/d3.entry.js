export { axisTop } from "d3-axis";
export { scaleLinear } from "d3-scale";
export { select } from "d3-selection";
export { zoom, zoomIdentity, zoomTransform } from "d3-zoom";
