import { expect, test } from "vitest";
import { Html, html } from "../../../../src/report/page/html.ts";

test("values are escaped, in text and in attributes, and markup of html's own is not", () => {
  const name = `<b title='x' data-y="z">&\u202e`;
  expect(html`<p title="${name}">${name}</p>`.markup).toBe(
    '<p title="&lt;b title=&#39;x&#39; data-y=&quot;z&quot;&gt;&amp;\\u{202e}">&lt;b title=&#39;x&#39; data-y=&quot;z&quot;&gt;&amp;\\u{202e}</p>',
  );
  expect(html`<ul>${["<", "b"].map((one) => html`<li>${one}</li>`)}</ul>`.markup).toBe(
    "<ul><li>&lt;</li><li>b</li></ul>",
  );
  expect(html`${false}${undefined}${0}${[["a"], new Html("<i>")]}`.markup).toBe("0a<i>");
});

test("an object that only looks like markup is text", () => {
  const forged = { markup: "<script>" } as unknown as string;
  expect(() => html`${forged}`.markup).toThrow();
});
