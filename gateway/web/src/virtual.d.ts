declare module "virtual:words/*" {
  const sentences: unknown;
  export default sentences;
}
