/** The page is about to be out of sight, perhaps for good: the last moment to keep something that is sure to come. */

/** @returns ends it */
export function onHidden(hidden: () => void): () => void {
  // Not where there are no pages.
  const page: Document | undefined = globalThis.document;
  if (page === undefined) return () => {};
  const told = () => {
    if (page.visibilityState === 'hidden') hidden();
  };
  page.addEventListener('visibilitychange', told);
  globalThis.addEventListener('pagehide', hidden);
  return () => {
    page.removeEventListener('visibilitychange', told);
    globalThis.removeEventListener('pagehide', hidden);
  };
}
