//! Revoked tokens: those of a user that were issued before a time, and single ones.
//!
//! A store keeps its own list. It refuses what the list covers, whoever issued it: the owner's own
//! tokens ("sign out everywhere") as well as those of guests.

use alloc::rc::Rc;
use core::fmt;

use crate::moment::Moment;
use nacre_layers::{
    error::{Code, Error, Result},
    id::User,
};

/// Most revocations of one store. All are kept in memory.
pub const REVOCATIONS: usize = 1000;

/// The id of a token, the claim `jti`: 1–256 bytes, no control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId(Rc<str>);

impl TokenId {
    /// Parses an id.
    ///
    /// # Errors
    /// `invalid-id` if it is empty, longer than 256 bytes, or holds a control character.
    pub fn parse(text: &str) -> Result<TokenId> {
        if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            let detail = "a token's id must be 1 to 256 bytes without control characters";
            return Err(Error::new(Code::InvalidId, detail));
        }
        Ok(TokenId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// What a revocation needs to know of a token, beside its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it was issued; `None` if it does not say.
    pub issued_at: Option<Moment>,
    /// Its id; `None` if it has none.
    pub id: Option<TokenId>,
}

/// Whose tokens a revocation is about. A store has at most one revocation for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// All tokens of a user, up to a time.
    User(User),
    /// One token.
    Token(TokenId),
}

/// A revocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Revocation {
    /// Whose tokens it is about.
    pub subject: Subject,
    /// For a user: tokens that were issued before this time are refused. For a token: its expiry,
    /// from which on the revocation is not needed; `None` keeps it.
    pub time: Option<Moment>,
    /// When it was made or last changed.
    pub at: Moment,
    /// Who made it.
    pub by: User,
}

impl Revocation {
    /// Whether it covers a token of `user`. A token that does not say when it was issued counts as
    /// issued before any time.
    pub fn covers(&self, user: &User, token: &TokenFacts) -> bool {
        match &self.subject {
            Subject::User(revoked) => revoked == user && token.issued_at < self.time,
            Subject::Token(revoked) => token.id.as_ref() == Some(revoked),
        }
    }

    /// Whether the token that it is about has expired anyway.
    pub(crate) fn is_over(&self, at: Moment) -> bool {
        matches!(self.subject, Subject::Token(_)) && self.time.is_some_and(|expiry| expiry <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(subject: Subject, time: Option<u64>) -> Revocation {
        let by = User::parse("alice").unwrap();
        Revocation { subject, time: time.map(Moment), at: Moment(9), by }
    }

    fn facts(issued_at: Option<u64>, id: Option<&str>) -> TokenFacts {
        TokenFacts {
            issued_at: issued_at.map(Moment),
            id: id.map(|id| TokenId::parse(id).unwrap()),
        }
    }

    #[test]
    fn tokens_of_a_user_from_before_a_time_are_covered() {
        let [bob, eve] = ["bob", "eve"].map(|user| User::parse(user).unwrap());
        let revoked = revocation(Subject::User(bob.clone()), Some(5));
        for (issued_at, covered) in [(None, true), (Some(4), true), (Some(5), false)] {
            assert_eq!(revoked.covers(&bob, &facts(issued_at, Some("t"))), covered);
        }
        assert!(!revoked.covers(&eve, &facts(None, None)));
        assert!(!revoked.is_over(Moment(u64::MAX)), "a time that has passed ends nothing");
    }

    #[test]
    fn a_single_token_is_covered_by_its_id_alone() {
        let bob = User::parse("bob").unwrap();
        let revoked = revocation(Subject::Token(TokenId::parse("t").unwrap()), Some(5));
        assert!(revoked.covers(&bob, &facts(Some(7), Some("t"))));
        assert!(!revoked.covers(&bob, &facts(Some(7), Some("T"))));
        assert!(!revoked.covers(&bob, &facts(Some(7), None)));
        assert!(revoked.is_over(Moment(5)) && !revoked.is_over(Moment(4)));
    }

    #[test]
    fn an_id_is_text_that_can_be_shown() {
        assert!(TokenId::parse("6f1c/ä").is_ok());
        for other in ["", "a\u{7}", &"x".repeat(257)] {
            assert_eq!(TokenId::parse(other).unwrap_err().code(), Code::InvalidId, "{other}");
        }
    }
}
