import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

export { DOMPurify, MarkdownIt };
