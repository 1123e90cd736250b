use serde::{Deserialize, Serialize};

/// One measured thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// Which library, or which store.
    pub subject: String,
    /// What was done.
    pub case: String,
    /// How much of it there was: sessions, bytes, clients; what it means is said by the part.
    pub size: u64,
    /// What was counted or clocked, with its unit.
    pub metric: String,
    /// The median of the rounds.
    pub median: f64,
    /// The lowest and the highest round.
    pub low: f64,
    pub high: f64,
    pub rounds: usize,
}

impl Figure {
    /// From all rounds.
    pub fn of(subject: &str, case: &str, size: u64, metric: &str, rounds: Vec<f64>) -> Self {
        let mut sorted = rounds;
        sorted.sort_by(f64::total_cmp);
        Self {
            subject: subject.to_owned(),
            case: case.to_owned(),
            size,
            metric: metric.to_owned(),
            median: rounded(median(&sorted)),
            low: rounded(*sorted.first().expect("at least one round")),
            high: rounded(*sorted.last().expect("at least one round")),
            rounds: sorted.len(),
        }
    }

    /// For the parent process.
    pub fn print(&self) {
        println!("{}", serde_json::to_string(self).expect("plain data"));
    }
}

/// Of sorted figures.
pub fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

/// Four digits and more are noise.
fn rounded(value: f64) -> f64 {
    let digits = if value.abs() < 10.0 { 1e3 } else { 1e1 };
    (value * digits).round() / digits
}
