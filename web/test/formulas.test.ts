import assert from "node:assert/strict";
import { test } from "vitest";
import { isFormula, withFormulas } from "../lib/formulas";

test("formulas in a line, in each way that models write them", () => {
  assert.equal(withFormulas("so $x^2$ and \\(y_1\\)."), "so $$x^2$$ and $$y_1$$.");
  assert.equal(withFormulas("with $x$, $f(x)$ and $n - 1$"), "with $$x$$, $$f(x)$$ and $$n - 1$$");
  assert.equal(withFormulas("then \\[x = 1\\] holds"), "then $$\\displaystyle x = 1$$ holds");
});

test("a formula that stands alone gets a fence, in a list too", () => {
  assert.equal(withFormulas("\\[\nx = 1\n\\]"), "$$\nx = 1\n$$");
  assert.equal(withFormulas("$$E = mc^2$$"), "$$\nE = mc^2\n$$");
  assert.equal(withFormulas("1. so\n   \\[x\\]\n2. end"), "1. so\n   $$\n   x\n   $$\n2. end");
});

test.each([
  "It costs $5 and sells for $10.",
  "between $5-$10 or $5/$10",
  "US$5 and CA$7",
  "Pay 5$ or 10$ now",
  "from $5 or 10$ up",
  "$20 to my friend, $30 to you",
  "a \\$5 note and \\$x\\$",
  "`$x$` and ``a ` $y$``",
  "```sh\necho $HOME $PATH$\n```",
  "- so\n  ```sh\n  a=$b c=$d\n  ```\n",
  "\\(not closed and $x",
  "nothing",
])("no formula: %s", (text) => {
  assert.equal(withFormulas(text), null);
});

test("a price beside a formula stays one", () => {
  assert.equal(withFormulas("For $5, $x$ is free; $y^2$ is $7."), "For $5, $$x$$ is free; $$y^2$$ is $7.");
  assert.equal(withFormulas("`$a$` is $b$"), "`$a$` is $$b$$");
});

test("words are no formula, variables are", () => {
  for (const text of ["x", "2n", "ab", "10", "n!", "P(A, B)", "a/b", "\\alpha", "x > 0"]) assert.ok(isFormula(text), text);
  for (const text of ["5 or 10", " x", "x ", "the price", "20 to my friend, "]) assert.ok(!isFormula(text), text);
});

test("a long text without an end to its formulas is read to its end", () => {
  const text = "\\[ $ \\( ` $x ".repeat(2000);
  assert.ok((withFormulas(text) ?? text).endsWith("$x "));
});
