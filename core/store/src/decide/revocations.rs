//! Revoking tokens, and taking that back.

use alloc::{rc::Rc, vec::Vec};

use super::draft::Draft;
use crate::{
    moment::Moment,
    plan::Reply,
    record::Deed,
    revocation::{REVOCATIONS, Revocation, Subject},
    store::{Reads, Write},
};
use nacre_layers::error::{Code, Error, Result};

/// All revocations of a store.
pub(super) fn revocations(reads: &dyn Reads) -> Result<Vec<Revocation>> {
    let mut found = Vec::new();
    reads.each_revocation(&mut |revocation| found.push(revocation.clone()))?;
    Ok(found)
}

impl Draft<'_, '_> {
    /// Refuses tokens from here on. A user's time is never set back: a request that comes late
    /// must not let tokens in again.
    pub(super) fn revoke(&mut self, subject: &Subject, time: Option<Moment>) -> Result<Reply> {
        let at = self.setting.at;
        let known = revocations(&self.store)?;
        let existing = known.iter().find(|known| known.subject == *subject);
        let time = match subject {
            Subject::User(_) => Some(not_before(time, existing, at)?),
            Subject::Token(_) => time,
        };
        if let Some(existing) = existing.filter(|existing| existing.time == time) {
            return Ok(Reply::Revocation(existing.clone()));
        }
        if existing.is_none() {
            self.make_room(&known)?;
        }
        let by = self.asker.caller.user.clone();
        let revocation = Revocation { subject: subject.clone(), time, at, by };
        self.write(Write::Revoke(subject.clone(), Some(Rc::new(revocation.clone()))));
        self.revocation_deed(subject, ["revoke_user", "revoke_token"]);
        Ok(Reply::Revocation(revocation))
    }

    /// Lets tokens in again, as far as they have not expired.
    pub(super) fn unrevoke(&mut self, subject: &Subject) -> Result<Reply> {
        if !revocations(&self.store)?.iter().any(|known| known.subject == *subject) {
            return Err(Error::new(Code::NotFound, "there is no such revocation"));
        }
        self.write(Write::Revoke(subject.clone(), None));
        self.revocation_deed(subject, ["unrevoke_user", "unrevoke_token"]);
        Ok(Reply::Unrevoked)
    }

    /// Drops revocations of expired tokens, and refuses one too many.
    fn make_room(&mut self, known: &[Revocation]) -> Result<()> {
        let at = self.setting.at;
        let over = known.iter().filter(|known| known.is_over(at));
        let mut left = known.len();
        for revocation in over {
            self.write(Write::Revoke(revocation.subject.clone(), None));
            left -= 1;
        }
        if left >= REVOCATIONS {
            let detail = "a store can hold 1000 revocations; revoke all tokens of a user instead, \
                          or delete revocations of expired tokens";
            return Err(Error::new(Code::TooLarge, detail).limit(REVOCATIONS as u64));
        }
        Ok(())
    }

    fn revocation_deed(&mut self, subject: &Subject, [of_user, of_token]: [&'static str; 2]) {
        let (action, member) = match subject {
            Subject::User(user) => (of_user, Some(user.clone())),
            Subject::Token(_) => (of_token, None),
        };
        self.deed(Deed { action, address: None, version: None, member, pointers: Vec::new() });
    }
}

/// The time before which a user's tokens are refused: now, unless an earlier one is asked for.
fn not_before(asked: Option<Moment>, existing: Option<&Revocation>, now: Moment) -> Result<Moment> {
    if asked.is_some_and(|asked| asked > now) {
        let detail = alloc::format!("`not_before` must not be in the future; it is {now} now");
        return Err(Error::new(Code::InvalidRequest, detail).at("/not_before"));
    }
    let known = existing.and_then(|existing| existing.time);
    Ok(asked.unwrap_or(now).max(known.unwrap_or(Moment(0))))
}
