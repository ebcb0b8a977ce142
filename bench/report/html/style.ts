/** The look of the report: light or dark as the reader's system is, and one column on a phone. */
export const STYLE = `
:root { color-scheme: light dark; --back: #fff; --card: #f5f6f8; --text: #1b1f24; --muted: #57606a; --line: #d3d8de;
  --less: #17693c; --more: #b42318; --open: #57606a; --span: #2457a6; --focus: #1f5fd0; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --card: #1e2327; --text: #e9ebee; --muted: #aab3bd;
  --line: #3a4249; --less: #66d190; --more: #ff9a90; --open: #aab3bd; --span: #8ab4ff; --focus: #8ab4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main, header, footer, nav { max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
h1 { margin: 1.5rem 0 .25rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.35rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1.05rem; overflow-wrap: anywhere; }
p, li { max-width: 48rem; }
a { color: var(--span); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--back); padding: .5rem; }
.muted { color: var(--muted); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; padding: 0; list-style: none; }
.tiles li { background: var(--card); border-radius: 8px; padding: .75rem 1rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.rows { padding: 0; margin: .5rem 0; list-style: none; }
.rows li, .axis { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) 20rem; gap: 0 1rem; align-items: center;
  max-width: none; padding: .35rem 0; }
.rows li { border-top: 1px solid var(--line); }
.rows .name { overflow-wrap: anywhere; } .name small { display: block; }
.rows .figure { font-variant-numeric: tabular-nums; }
small { font-size: .875rem; color: var(--muted); }
.badge { font-weight: 600; } .badge.less, .badge.met, .badge.passed, .badge.better { color: var(--less); }
.badge.more, .badge.missed, .badge.failed, .badge.worse { color: var(--more); }
.badge.open, .badge.skipped, .badge.new, .badge.gone { color: var(--open); }
.note { background: var(--card); border-left: 4px solid var(--span); padding: .6rem 1rem; border-radius: 0 6px 6px 0; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1rem; padding: 0;
  margin: 1rem 0; list-style: none; }
.multiples li { background: var(--card); border-radius: 8px; padding: .75rem 1rem; max-width: none; }
.multiples .name { display: block; overflow-wrap: anywhere; min-height: 3em; line-height: 1.3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; color: var(--muted); }
th, td { text-align: right; padding: .3rem .8rem .3rem 0; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .4rem 0; overflow-wrap: anywhere; }
svg { display: block; overflow: visible; } svg text { fill: var(--muted); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); } .one { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 4 3; }
.bar { stroke-width: 3; stroke-linecap: round; } .join { stroke: var(--muted); stroke-width: 1.5; opacity: .6; }
.bar.less, .end.less { stroke: var(--less); } .bar.more { stroke: var(--more); } .bar.open { stroke: var(--open); }
.bar.span, .end { stroke: var(--span); stroke-width: 2.5; } .dot { stroke: var(--back); stroke-width: 1.5; }
.dot.less, .fill.less { fill: var(--less); } .dot.more, .fill.more { fill: var(--more); } .dot.open { fill: var(--open); }
.dot.span { fill: var(--span); } .track { fill: var(--line); } .limit { stroke: var(--text); stroke-width: 2; }
footer { margin-top: 3rem; padding-bottom: 2rem; color: var(--muted); }
@media (max-width: 48rem) {
  .rows li { grid-template-columns: minmax(0, 1fr); gap: .1rem; padding: .6rem 0; }
  .axis { grid-template-columns: minmax(0, 1fr); } .axis span:empty { display: none; }
  .multiples .name { min-height: 0; }
}
@media print { nav, .skip { display: none; } }
`;
