use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// One of the measurements, with what has to be known to judge it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// `a` to `e`.
    pub id: String,
    pub title: String,
    pub about: String,
    pub quick: bool,
    pub seconds: f64,
    /// What was set, by name.
    pub settings: Vec<(String, String)>,
    /// What could not be measured, and why.
    pub notes: Vec<String>,
    pub figures: Vec<Figure>,
}

impl Part {
    pub fn new(id: &str, title: &str, about: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            about: about.to_owned(),
            quick: false,
            seconds: 0.0,
            settings: Vec::new(),
            notes: Vec::new(),
            figures: Vec::new(),
        }
    }

    pub fn setting(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        println!("   {note}");
        self.notes.push(note);
    }

    /// The one figure of that kind, if it was measured.
    pub fn figure(&self, subject: &str, case: &str, size: u64, metric: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| {
            figure.subject == subject
                && figure.case == case
                && figure.size == size
                && figure.metric == metric
        })
    }

    /// All different values of one field, in the order of their first appearance.
    pub fn distinct<T: PartialEq>(&self, field: impl Fn(&Figure) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for figure in &self.figures {
            let value = field(figure);
            if !all.contains(&value) {
                all.push(value);
            }
        }
        all
    }
}
