// What an exported page makes a browser fetch, and how much of it each page has for itself.

/** The scripts of a page that a browser of today fetches at once, and the text of those in the page itself. */
export function scriptsOf(html) {
  const sources = new Set();
  const inline = [];
  for (const [, attributes, body] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)) {
    // Browsers that know modules, all that this page supports, never fetch a nomodule script.
    if (/\bnomodule\b/i.test(attributes)) continue;
    const src = /\bsrc="([^"]+)"/.exec(attributes)?.[1];
    if (src) sources.add(src.replace(/[?#].*$/, ""));
    else inline.push(body);
  }
  for (const [tag] of html.matchAll(/<link\b[^>]*>/g)) {
    const href = /\bhref="([^"]+\.js)[^"]*"/.exec(tag)?.[1];
    if (href && /rel="(preload|modulepreload)"/.test(tag)) sources.add(href);
  }
  return { sources: [...sources], inline };
}

/**
 * Of each page the bytes of the scripts that not every page has, the heaviest first.
 * `pages` are sources by path, `weigh` gives the bytes of one.
 */
export function ownWeights(pages, weigh) {
  const all = Object.values(pages);
  const isShared = (src) => all.every((sources) => sources.includes(src));
  const sum = (sources) => sources.reduce((total, src) => total + weigh(src), 0);
  const routes = Object.entries(pages)
    .map(([path, sources]) => ({ path, own: sum(sources.filter((src) => !isShared(src))) }))
    .sort((one, other) => other.own - one.own);
  return { shared: sum((all[0] ?? []).filter(isShared)), routes };
}
