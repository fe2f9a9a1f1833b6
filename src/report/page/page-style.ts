/**
 * The page's own style. Colours are after Okabe and Ito (Color Universal Design, 2008), darker on white and lighter on
 * black until their contrast is 3:1 (WCAG 2.2, 1.4.11). No meaning depends on a colour alone.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f6f7f9; --ink: #1b2430; --soft: #566173; --line: #dfe3e9; --link: #0a5ea8;
  --accent: #0072b2; --limit: #c2410c;
  --well: #0072b2; --denied: #c98500; --ended: #8f5aa8; --failed: #3d4654; --running: #008f68;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1b2129; --ink: #e6e9ee; --soft: #a3adba; --line: #323a45; --link: #7cc0f5;
    --accent: #4aa8e0; --limit: #f0793b;
    --well: #4aa8e0; --denied: #eab54a; --ended: #c896dd; --failed: #c3cad4; --running: #2fc79a;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 44px 0 4px; font-weight: 650; }
h3 { font-size: 15px; margin: 20px 0 4px; font-weight: 600; }
p { margin: 4px 0 12px; max-width: 100ch; }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.soft, figcaption, small { color: var(--soft); }
code, .id, td.num, .story time { font-variant-numeric: tabular-nums; }
code, .id { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.88em; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 14px 0 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); gap: 12px; margin: 24px 0 0; padding: 0; }
.figures div { background: var(--card); border-radius: 8px; padding: 12px 14px; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 0; font-size: 20px; white-space: nowrap; font-weight: 620; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figures small { font-size: 13px; white-space: normal; font-weight: 400; display: block; line-height: 1.4; }
.notable { padding-left: 1.2em; margin: 6px 0; }
.notable li { margin: 3px 0; max-width: 100ch; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; padding: 0; margin: 4px 0 10px; font-size: 13px; color: var(--soft); }
.legend li::before, .dot > .nb:first-child::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; background: var(--mark); }
.is-well { --mark: var(--well); } .is-denied { --mark: var(--denied); } .is-limit { --mark: var(--limit); }
.is-ended { --mark: var(--ended); } .is-failed { --mark: var(--failed); } .is-running { --mark: var(--running); }
.nb { white-space: nowrap; }
figure { margin: 0 0 8px; }
figure svg { display: block; max-width: 100%; height: auto; overflow: visible; }
figcaption { font-size: 13px; }
.wide, .medium, .narrow { display: none; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 40px; }
.table { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
td.num, th.num { text-align: right; white-space: nowrap; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.who { min-width: 110px; max-width: 220px; overflow-wrap: break-word; }
td.from { max-width: 160px; overflow-wrap: break-word; }
tbody th { font-weight: 400; }
tbody tr:hover { background: var(--card); }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button::after { content: " \\2195"; opacity: 0.45; }
th[aria-sort="ascending"] button::after { content: " \\2191"; opacity: 1; }
th[aria-sort="descending"] button::after { content: " \\2193"; opacity: 1; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: end; margin: 10px 0; }
.controls[hidden] { display: none; }
.controls label { display: grid; gap: 2px; font-size: 13px; color: var(--soft); }
.controls input, .controls select {
  font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: 0 9px; height: 34px; min-width: 180px;
}
.controls output { font-size: 13px; color: var(--soft); padding-bottom: 6px; }
article { border-top: 1px solid var(--line); padding: 14px 0 16px; content-visibility: auto; contain-intrinsic-size: auto 220px; }
article:target { box-shadow: -10px 0 0 var(--paper), -13px 0 0 var(--link); }
article h3 { margin: 0 0 2px; }
.story { list-style: none; padding: 0; margin: 8px 0; }
.story li { display: grid; grid-template-columns: 110px minmax(0, 1fr); gap: 14px; padding: 1px 0; overflow-wrap: anywhere; }
.story time { color: var(--soft); text-align: right; white-space: nowrap; }
details summary { cursor: pointer; color: var(--link); width: fit-content; }
details table { margin: 6px 0 14px; table-layout: fixed; }
details caption { text-align: left; font-weight: 600; padding: 6px 0 2px; }
details th { width: 210px; color: var(--soft); font-weight: 400; }
details td, details th { padding: 3px 14px 3px 0; overflow-wrap: anywhere; }
.empty h2 { margin-top: 0; }
.empty { background: var(--card); border-radius: 8px; padding: 28px 24px; margin: 28px 0; }
footer { margin-top: 48px; padding-top: 16px; padding-bottom: 40px; color: var(--soft); font-size: 13px; }
footer p { max-width: 90ch; }
@media (min-width: 1001px) { .wide { display: block; } }
@media (min-width: 601px) and (max-width: 1000px) { .medium { display: block; } }
@media (max-width: 600px) { .narrow { display: block; } }
@media (max-width: 760px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 22px; }
  h1 { font-size: 23px; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .controls label, .controls input, .controls select { width: 100%; }
  .story li { grid-template-columns: minmax(0, 1fr); gap: 0; padding: 4px 0; }
  .story time { text-align: left; }
  details th { width: 38%; }
}
@media print {
  @page { margin: 14mm; }
  :root {
    color-scheme: light;
    --paper: #ffffff; --card: #f6f7f9; --ink: #000000; --soft: #444444; --line: #cccccc; --link: #000000;
    --accent: #0072b2; --limit: #c2410c;
    --well: #0072b2; --denied: #c98500; --ended: #8f5aa8; --failed: #3d4654; --running: #008f68;
  }
  body { font-size: 10.5pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  nav, .controls, details:not([open]) { display: none; }
  .wide, .narrow { display: none; } .medium { display: block; }
  .pair { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  h2, h3 { break-after: avoid; }
  figure, .figures div, tr, .story li { break-inside: avoid; }
  thead { display: table-header-group; }
  th button::after { content: none; }
  .table { overflow: visible; }
  table { font-size: 7.5pt; }
  th, td { padding: 4px 8px 4px 0; }
  td.who { min-width: 0; }
  article { content-visibility: visible; }
}
`;
