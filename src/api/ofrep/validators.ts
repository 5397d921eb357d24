const CODING = /(?:--|[-;])(?:gzip|br|zstd|deflate)$/;

/** An entity tag without quotes and weakness: proxies weaken tags, and some clients drop the quotes. */
export const bareTag = (tag: string): string =>
  tag.trim().replace(/^W\//, '').replace(/^"|"$/g, '');

const isTag = (given: string, tag: string): boolean => {
  const bare = bareTag(given);
  // Proxies that compress put the coding behind the tag.
  return bare === tag || bare.replace(CODING, '') === tag;
};

/** Whether If-None-Match names this tag: in a list, weak, as `*`, also without quotes. RFC 9110, 13.1.2. */
export const namesTag = (header: string | undefined, tag: string): boolean => {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((given) => isTag(given, tag));
};
