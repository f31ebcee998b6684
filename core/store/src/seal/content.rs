//! Whether texts that look like credentials are sealed, whatever their name is.

use core::fmt;

/// Finds a credential in a text, and says what it is, with an article: "a GitHub token".
pub type FindCredential = fn(&str) -> Option<&'static str>;

/// What a text looks like, and whether it must be sealed.
pub(super) type Found = (&'static str, bool);

/// What happens to a text that looks like a credential. The rules are an argument, so that a host
/// without them carries none of their code.
#[derive(Clone, Copy, Default)]
pub enum SealContent {
    /// Nothing.
    #[default]
    Off,
    /// The write is told; the text stays.
    Warn(FindCredential),
    /// The text is sealed, and the write is told.
    Seal(FindCredential),
}

impl SealContent {
    /// What a text looks like, if it looks like a credential.
    pub(super) fn find(self, text: &str) -> Option<Found> {
        match self {
            SealContent::Off => None,
            SealContent::Warn(find) => Some((find(text)?, false)),
            SealContent::Seal(find) => Some((find(text)?, true)),
        }
    }
}

impl fmt::Debug for SealContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SealContent::Off => "Off",
            SealContent::Warn(_) => "Warn",
            SealContent::Seal(_) => "Seal",
        })
    }
}
