use std::collections::HashMap;

use super::draft::Draft;

/// The sessions of each owner that have begun and are not over, as the history goes on.
pub(super) struct Owners {
    of: HashMap<u32, Sessions>,
}

#[derive(Default)]
struct Sessions {
    begun: Vec<usize>,
    /// The last to begin first.
    to_begin: Vec<usize>,
}

impl Owners {
    pub(super) fn of(drafts: &[Draft]) -> Self {
        let mut of: HashMap<u32, Sessions> = HashMap::new();
        let mut numbers: Vec<usize> = (0..drafts.len()).collect();
        numbers.sort_by_key(|number| std::cmp::Reverse(drafts[*number].begun));
        for number in numbers {
            let sessions = of.entry(drafts[number].owner).or_default();
            sessions.to_begin.push(number);
        }
        Self { of }
    }

    /// Those that may have begun by `until` and may be live at `from`, which never steps back.
    pub(super) fn sessions(
        &mut self,
        owner: u32,
        from: u64,
        until: u64,
        drafts: &[Draft],
    ) -> &[usize] {
        let sessions = self.of.entry(owner).or_default();
        while let Some(next) = sessions
            .to_begin
            .pop_if(|next| drafts[*next].begun <= until)
        {
            sessions.begun.push(next);
        }
        sessions.begun.retain(|number| drafts[*number].over >= from);
        &sessions.begun
    }
}
