/// Whether sessions in use get a fresh id now and then, by which all requests with an older one still find them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ids {
    /// They keep the id that they have.
    #[default]
    Kept,
    /// With the first request that ends 50 milliseconds or more after the last renewal.
    Renewed,
}

impl Ids {
    /// As the first argument of an application's process.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Renewed => "renewed",
        }
    }

    /// What that argument says.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Kept, Self::Renewed]
            .into_iter()
            .find(|ids| ids.word() == word)
    }
}
