//! The page: tables and charts from the results.

use std::fmt::Write as _;
use std::path::Path;

use crate::Failure;
use crate::chart;
use crate::figure::Figure;
use crate::part::Part;
use crate::results::Results;

pub fn write(results: &Results, directory: &Path) -> Result<(), Failure> {
    // Charts of figures that are no longer measured.
    for entry in std::fs::read_dir(directory)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "svg") {
            std::fs::remove_file(file)?;
        }
    }
    let mut page = String::from(
        "# Measurements\n\nMade by `cargo xtask bench`, which also writes [results.json](results.json) with every \
         figure. Medians; in brackets the lowest and the highest round. The best of a row is bold, whoever's it \
         is.\n",
    );
    for (title, list) in [("Machine", &results.machine), ("Versions", &results.versions)] {
        let _ = write!(page, "\n## {title}\n\n");
        pairs(&mut page, list);
    }
    for part in &results.parts {
        section(&mut page, part, directory)?;
    }
    Ok(std::fs::write(directory.join("README.md"), page)?)
}

fn pairs(page: &mut String, list: &[(String, String)]) {
    page.push_str("| | |\n|---|---|\n");
    for (name, value) in list {
        let _ = writeln!(page, "| {name} | {} |", value.replace('|', "\\|"));
    }
}

fn section(page: &mut String, part: &Part, directory: &Path) -> Result<(), Failure> {
    let quick = if part.quick { " A quick run: rough figures." } else { "" };
    let _ = write!(page, "\n## {}\n\n{}{quick}\n\n", part.title, part.about);
    for metric in &part.distinct(|figure| figure.metric.clone()) {
        let _ = write!(page, "### {}: {metric}\n\n", part.title);
        if let Some(svg) = chart::of(part, metric) {
            let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
            let slug = metric.to_lowercase().replace(", ", "-").replace("'s", "");
            let slug: String = slug.chars().map(letters).collect();
            let name = format!("{}-{slug}.svg", part.id);
            std::fs::write(directory.join(&name), svg)?;
            let _ = write!(page, "![{}: {metric}]({name})\n\n", part.title);
        }
        table(page, part, metric);
    }
    page.push_str("How it was set up:\n\n");
    pairs(page, &part.settings);
    for note in &part.notes {
        let _ = write!(page, "\nNot measured: {note}.\n");
    }
    Ok(())
}

fn table(page: &mut String, part: &Part, metric: &str) {
    let of_metric = || part.figures.iter().filter(|figure| figure.metric == metric);
    let mut subjects: Vec<&str> = Vec::new();
    let mut rows: Vec<(&str, u64)> = Vec::new();
    for figure in of_metric() {
        if !subjects.contains(&figure.subject.as_str()) {
            subjects.push(&figure.subject);
        }
        if !rows.contains(&(&figure.case, figure.size)) {
            rows.push((&figure.case, figure.size));
        }
    }
    rows.sort_by_key(|(_, size)| *size);
    let several_sizes = rows.iter().any(|(_, size)| *size != rows[0].1);
    let _ = write!(page, "| | {} |\n|---|{}\n", subjects.join(" | "), "---|".repeat(subjects.len()));
    for (case, size) in rows {
        let found: Vec<Option<&Figure>> = subjects
            .iter()
            .map(|subject| part.figure(subject, case, size, metric))
            .collect();
        // What is compared with is no contestant.
        let contest = subjects.iter().zip(&found).filter(|(subject, _)| !is_reference(subject));
        let values = contest.filter_map(|(_, figure)| figure.map(|figure| figure.median));
        let best = if more_is_better(metric) {
            values.fold(f64::MIN, f64::max)
        } else {
            values.fold(f64::MAX, f64::min)
        };
        let cells: Vec<String> = subjects
            .iter()
            .zip(&found)
            .map(|(subject, figure)| match figure {
                None => String::new(),
                Some(figure) => {
                    let bold = figure.median == best && !is_reference(subject);
                    cell(figure, bold)
                }
            })
            .collect();
        let sized = if several_sizes { format!("{case}; {}", grouped(size as f64)) } else { case.to_owned() };
        let _ = writeln!(page, "| {sized} | {} |", cells.join(" | "));
    }
    page.push('\n');
}

pub fn is_reference(subject: &str) -> bool {
    subject.starts_with("no sessions") || subject == "optimum" || subject == "nothing"
}

fn more_is_better(metric: &str) -> bool {
    metric.contains("per second") || metric.contains("ratio")
}

fn cell(figure: &Figure, bold: bool) -> String {
    let median = grouped(figure.median);
    let median = if bold { format!("**{median}**") } else { median };
    if figure.low == figure.high {
        median
    } else {
        format!("{median} ({}…{})", grouped(figure.low), grouped(figure.high))
    }
}

/// `1,234,567`, and as many decimals as small figures need.
pub fn grouped(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}
