// Fonts come in three forms; every browser that this page supports reads the smallest, so the others are not shipped.
module.exports = () => ({
  postcssPlugin: "woff2-only",
  AtRule: {
    "font-face": (rule) => {
      rule.walkDecls("src", (source) => {
        const kept = source.value.split(/,\s*/).filter((one) => one.includes("woff2"));
        if (kept.length > 0) source.value = kept.join(", ");
      });
    },
  },
});
module.exports.postcss = true;
