//! Bars, as SVG that can be read on light and on dark paper.

use std::fmt::Write as _;

use crate::page::{grouped, is_reference};
use crate::part::Part;

const LABELS: f64 = 190.0;
const WIDTH: f64 = 760.0;
const BAR: f64 = 16.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.g{font-weight:600}.o{fill:#0a7d55}\
    .p{fill:#8c959f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.o{fill:#3fb98a}.p{fill:#6e7681}}";

/// One group of bars for each case, at the size that most subjects have; none if nothing is compared.
pub fn of(part: &Part, metric: &str) -> Option<String> {
    let figures = || part.figures.iter().filter(|figure| figure.metric == metric);
    let sizes = || figures().map(|figure| figure.size);
    let size = sizes().max_by_key(|size| (sizes().filter(|other| other == size).count(), *size == 10_000))?;
    let mut groups: Vec<(&str, Vec<(&str, f64)>)> = Vec::new();
    for figure in figures().filter(|figure| figure.size == size && figure.subject != "nothing") {
        // Figures above the bare application do not share an axis with it.
        if is_reference(&figure.subject) && figure.subject != "optimum" {
            continue;
        }
        let bar = (figure.subject.as_str(), figure.median);
        match groups.iter_mut().find(|(case, _)| *case == figure.case) {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((&figure.case, vec![bar])),
        }
    }
    let bars = || groups.iter().flat_map(|(_, bars)| bars);
    let most = bars().map(|(_, value)| *value).fold(0.0, f64::max);
    if most <= 0.0 || groups.iter().all(|(_, bars)| bars.len() < 2) {
        return None;
    }
    let height = groups.len() as f64 * 30.0 + bars().count() as f64 * (BAR + 3.0) + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\
         <title>{}</title><style>{STYLE}</style>\n",
        escaped(metric)
    );
    let mut y = 0.0;
    for (case, bars) in &groups {
        y += 22.0;
        let _ = writeln!(svg, "<text class=\"g\" x=\"4\" y=\"{y}\">{}</text>", escaped(case));
        y += 8.0;
        for (subject, value) in bars {
            let length = (value.max(0.0) / most * (WIDTH - LABELS - 100.0)).max(1.0);
            let class = if subject.starts_with("Cloakroom") { "o" } else { "p" };
            let base = y + BAR - 4.0;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{}</text>\
                 <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\
                 <text x=\"{:.1}\" y=\"{base}\">{}</text>",
                LABELS - 8.0,
                escaped(subject),
                LABELS + length + 6.0,
                grouped(*value),
            );
            y += BAR + 3.0;
        }
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
