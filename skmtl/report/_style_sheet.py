"""The style sheet of the page, for narrow and wide screens and for paper."""

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2730; --soft: #55606b;
  --line: #d5dbe1; --grey: #7b858f; --blue: #1f5fa8; --orange: #b8460e;
  --wash: #f3f6f9; }
@media (prefers-color-scheme: dark) { :root { --page: #14191f; --ink: #e6ebf0;
  --soft: #a3afba; --line: #36414c; --grey: #8d98a3; --blue: #74b0f4;
  --orange: #f2935c; --wash: #1e262e; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--page);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main, footer { max-width: 52rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 44rem; }
a { color: var(--blue); }
.soft, small, figcaption, caption { color: var(--soft); }
.verdict { margin: 1.5rem 0 1rem; padding: 1rem 1.25rem; background: var(--wash);
  border-left: .35rem solid var(--blue); border-radius: .25rem; }
.verdict strong { display: block; font-size: 1.2rem; }
.verdict.independent { border-color: var(--orange); }
.verdict.unclear { border-color: var(--soft); }
.numbers { display: grid; gap: .75rem; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
.numbers div { border: 1px solid var(--line); border-radius: .25rem;
  padding: .6rem .9rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
.numbers dd { margin: 0; font-size: 1.45rem; font-weight: 600; }
.numbers dt { color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; background:
  linear-gradient(to right, var(--page) 40%, transparent) left / 2.5rem 100%,
  linear-gradient(to left, var(--page) 40%, transparent) right / 2.5rem 100%,
  linear-gradient(to right, var(--grey), transparent) left / .75rem 100%,
  linear-gradient(to left, var(--grey), transparent) right / .75rem 100%;
  background-repeat: no-repeat;
  background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: .875rem; padding-bottom: .4rem; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line);
  text-align: right; vertical-align: top; white-space: nowrap; }
thead th { vertical-align: bottom; font-size: .875rem; white-space: normal; }
th:first-child { text-align: left; padding-left: 0; white-space: normal;
  min-width: 9rem; }
tbody th { font-weight: 600; }
th small { font-weight: 400; }
tr.best th, tr.best td { font-weight: 700; }
tr.hurt td:last-child { color: var(--orange); font-weight: 600; }
figure { margin: 1rem 0; }
svg { display: block; width: 100%; min-width: 20rem; max-width: 38rem; height: auto;
  font-size: 10px; }
svg text { fill: var(--ink); } svg .tick { fill: var(--soft); font-size: 9px; }
svg .label { fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: .6; }
svg .axis { stroke: var(--ink); stroke-width: .8; }
svg .mark { stroke: var(--orange); stroke-width: 1.2; stroke-dasharray: 4 3; }
svg .whisker { stroke: var(--grey); fill: none; stroke-width: 1; opacity: .6; }
svg .range { stroke: var(--blue); stroke-width: 1.5; }
svg .curve { stroke: var(--blue); fill: none; stroke-width: .8; opacity: .6; }
svg .blue { fill: var(--blue); stroke: var(--blue); }
svg .grey { fill: var(--grey); stroke: var(--grey); }
svg .orange { fill: var(--orange); stroke: var(--orange); }
svg circle, svg rect, svg path:not(.dots, .whisker) { stroke-width: 0; }
svg .dots { fill: none; stroke-width: 4; stroke-linecap: round; opacity: .7; }
svg .faint { opacity: .5; } svg .curve:hover { stroke: var(--ink); opacity: 1; }
svg [class^=shade] { fill: var(--blue); } svg .shade1 { fill-opacity: .15; }
svg .shade2 { fill-opacity: .35; } svg .shade3 { fill-opacity: .55; }
svg .shade4 { fill-opacity: .75; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; text-align: inherit; }
th button::after { content: " \\2195"; color: var(--soft); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
input, .pages button { font: inherit; color: inherit; background: var(--wash);
  border: 1px solid var(--grey); border-radius: .25rem; padding: .25rem .5rem; }
.pages button:disabled { opacity: .5; } .count { color: var(--soft); }
table.words td { text-align: left; white-space: normal; min-width: 6rem; }
figcaption { font-size: .875rem; max-width: 38rem; margin-top: .4rem; }
dl.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr;
  gap: .35rem 1.25rem; margin: .75rem 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--wash); padding: .75rem 1rem; border-radius: .25rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .9rem; }
footer { padding-top: 2rem; padding-bottom: 3rem; font-size: .875rem; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
@media (max-width: 30rem) { dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .5rem; } header { padding-top: 1.25rem; } }
@media print { .scroll { overflow: visible; } svg { min-width: 0; }
  .tools, .pages { display: none; }
  h2, figure, tr { break-inside: avoid; } }
"""
