export { createContext, destroyContext, domToForeignObjectSvg } from "modern-screenshot";
