declare module "virtual:library-files" {
  /** Library name → file name, relative to the page. */
  const files: Record<string, string>;
  export default files;
}
