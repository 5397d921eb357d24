/** Asks for page after page, following `nextCursor` to the last. */
export const everyPage = async function* <Page extends Readonly<{ nextCursor: string | null }>>(
  ask: (paging: Readonly<{ cursor?: string }>) => Promise<Page>,
): AsyncGenerator<Page> {
  let paging: Readonly<{ cursor?: string }> | undefined = {};
  while (paging !== undefined) {
    const page: Page = await ask(paging);
    yield page;
    paging = page.nextCursor === null ? undefined : { cursor: page.nextCursor };
  }
};
