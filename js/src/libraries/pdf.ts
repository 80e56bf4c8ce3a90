import { getDocument, GlobalWorkerOptions } from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?raw";

export { getDocument, GlobalWorkerOptions, worker };
